"""A bundle that is about to leave the machine it was built on, checked as a gateway does."""

from pathlib import Path

from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.errors import EdgeError

from frugal_ai.errors import ReleaseError


def checked_bundle(path: Path) -> Bundle:
    """Open a bundle, or that of a run, and replay its golden cases.

    Raises
    ------
    ReleaseError
        If a gateway would refuse it.
    """
    from frugal_edge.runtime import Forecaster

    folder = path / "bundle" if (path / "run.json").is_file() else path
    try:
        bundle = open_bundle(folder)
        Forecaster(bundle).self_test()
    except EdgeError as error:
        raise ReleaseError(str(error)) from error
    return bundle
