"""``frugal-edge verify BUNDLE``."""

import argparse

from frugal_edge.commands._bundle import bundle_argument as arguments
from frugal_edge.commands._bundle import tested

__all__ = ["PURPOSE", "arguments", "run"]

PURPOSE = "check digests and replay the golden cases"


def run(options: argparse.Namespace) -> str:
    """Verify a bundle and replay its golden cases."""
    forecaster, (cases, largest) = tested(options.bundle)
    about = forecaster.manifest
    return (
        f"{about.id}: {len(about.files)} files as listed, {cases} golden cases reproduced,"
        f" largest difference {largest:.3g} {about.unit}\n"
    )
