"""``frugal-edge verify BUNDLE``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from frugal_edge.commands._bundle import bundle_argument, tested
from frugal_edge.manifest import SIGNATURE

if TYPE_CHECKING:
    from frugal_edge.trust.verify import Verified

PURPOSE = "check signature and digests and replay the golden cases"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    bundle_argument(parser)
    parser.add_argument(
        "--trust",
        metavar="FILE_OR_FOLDER",
        type=Path,
        help="public key, or folder of *.pub: the bundle must be signed by one of them",
    )


def run(options: argparse.Namespace) -> str:
    """Verify a bundle, the signature first, and replay its golden cases."""
    signature = None if options.trust is None else _signature(options.bundle, options.trust)
    forecaster, (cases, largest) = tested(options.bundle, signature.digests if signature else None)
    about = forecaster.manifest
    return (
        f"{about.id}: {_said(options.bundle, signature)}, {len(about.files)} files as listed,"
        f" {cases} golden cases reproduced, largest difference {largest:.3g} {about.unit}\n"
    )


def _signature(bundle: str, trust: Path) -> "Verified":
    from frugal_edge.trust.keys import TrustStore
    from frugal_edge.trust.verify import verify_folder

    return verify_folder(Path(bundle), TrustStore.read(trust))


def _said(bundle: str, signature: "Verified | None") -> str:
    if signature:
        return f"signed by key {signature.key_id}"
    return "signature not checked" if (Path(bundle) / SIGNATURE).exists() else "not signed"
