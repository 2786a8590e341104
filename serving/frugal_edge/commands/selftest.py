"""``frugal-edge selftest [BUNDLE]``."""

import argparse
from pathlib import Path

from frugal_edge.commands._state import TRUST, state_argument

PURPOSE = "replay golden cases, of a bundle or of all that run"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "bundle",
        metavar="BUNDLE",
        type=Path,
        nargs="?",
        help="folder of a bundle (default: all that run, their signatures first)",
    )
    state_argument(parser)
    parser.add_argument(
        "--trust",
        metavar="FILE_OR_FOLDER",
        type=Path,
        help=f"public key, or folder of *.pub (default: {TRUST}/ in the state folder)",
    )


def run(options: argparse.Namespace) -> str:
    """Replay the golden cases in child processes with limits."""
    from frugal_edge.install.selftest import Bounds, self_test

    if options.bundle is not None:
        tested = self_test(options.bundle, Bounds())
        return _said(str(options.bundle), tested.cases, tested.largest)
    return _all(options.state, options.trust or options.state / TRUST)


def _all(state: Path, trust: Path) -> str:
    from frugal_edge.errors import EdgeError, InstallError
    from frugal_edge.install import slots
    from frugal_edge.install.selftest import Bounds, self_test
    from frugal_edge.trust.keys import TrustStore
    from frugal_edge.trust.verify import verify_folder

    store, lines, failures = TrustStore.read(trust), [], []
    for series_id in slots.series(state):
        try:
            record = slots.read(state, series_id)
            folder = slots.folder_of(state, series_id, record.current)
            if folder is None or record.current is None:
                continue
            verify_folder(folder, store)
            tested = self_test(folder, Bounds())
        except EdgeError as error:
            failures.append(f"{series_id}: {error}")
        else:
            lines.append(_said(f"{series_id}: {record.current.id}", tested.cases, tested.largest))
    if failures:
        raise InstallError("; ".join(failures))
    return "".join(lines) or f"{state}: nothing is installed\n"


def _said(name: str, cases: int, largest: float) -> str:
    return f"{name}: {cases} golden cases reproduced, largest difference {largest:.3g}\n"
