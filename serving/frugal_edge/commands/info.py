"""``frugal-edge info BUNDLE``."""

import argparse

from frugal_edge.commands._bundle import bundle_argument as arguments

__all__ = ["PURPOSE", "arguments", "run"]

PURPOSE = "check digests and say what a bundle holds"


def run(options: argparse.Namespace) -> str:
    """Verify a bundle's digests and describe it."""
    from frugal_edge.bundle import open_bundle
    from frugal_edge.describe import describe

    return describe(open_bundle(options.bundle).manifest)
