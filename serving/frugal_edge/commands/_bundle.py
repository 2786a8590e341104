"""What commands on one bundle share."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from frugal_edge.errors import EdgeError

if TYPE_CHECKING:
    from frugal_edge.runtime import Forecaster


def bundle_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the folder of a bundle."""
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of the bundle")


def tested(folder: str, signed: Mapping[str, str] | None) -> "tuple[Forecaster, tuple[int, float]]":
    """Open a bundle and replay its golden cases; return their number and largest difference.

    Where its signature was verified, `signed` has the SHA-256 of each file.
    """
    from frugal_edge.bundle import open_bundle

    bundle = open_bundle(folder, signed)
    try:
        from frugal_edge.runtime import Forecaster
    except ImportError as error:
        raise EdgeError(f"numpy and onnxruntime are needed to run a model: {error}") from error
    forecaster = Forecaster(bundle)
    return forecaster, forecaster.self_test()
