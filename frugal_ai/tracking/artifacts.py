"""Files of a logged run: read where they lie, without mlflow, or fetched from a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.uri import resolve


def list_files(uri: str, run_id: str, artifact_uri: str) -> dict[str, int]:
    """Return the files of a run by their path in it, with their sizes [bytes]; none if it has none.

    Raises
    ------
    TrackingError
        If a server cannot be asked.
    """
    folder = _folder(artifact_uri)
    if folder is None:
        from frugal_ai.tracking.search import search_files

        return search_files(resolve(uri), run_id)
    return dict(sorted(_walk(folder)))


@contextmanager
def open_file(uri: str, run_id: str, artifact_uri: str, name: str) -> Iterator[Path]:
    """Have a file of a run as a local one, for as long as it is needed.

    Parameters
    ----------
    name
        Path in the run, one of those that `list_files` returns.

    Raises
    ------
    TrackingError
        If there is no such file, or it would lie elsewhere.
    """
    _check(name)
    folder = _folder(artifact_uri)
    if folder is not None:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise TrackingError(f"run {run_id}: there is no file {name!r}")
        yield path
        return
    from frugal_ai.tracking.search import fetch_file

    with TemporaryDirectory(prefix="frugal-ai-") as place:
        yield fetch_file(resolve(uri), run_id, name, Path(place))


def _check(name: str) -> None:
    parts = PurePosixPath(name).parts
    odd = "\\" in name or "\0" in name or PurePosixPath(name).is_absolute()
    if odd or not parts or ".." in parts:
        raise TrackingError(f"expected the path of a file in a run, got {name!r}")


def _folder(artifact_uri: str) -> Path | None:
    """Return the folder that an artifact URI names; None where it is not on this machine."""
    parts = urlsplit(artifact_uri)
    if parts.scheme == "file":
        return Path(url2pathname(unquote(parts.path) if os.name == "nt" else parts.path))
    return None if parts.scheme else Path(artifact_uri)


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield files with their sizes; what a link leads out of the folder to is none of them."""
    home = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_file() and path.resolve().is_relative_to(home):
            yield path.relative_to(folder).as_posix(), path.stat().st_size
