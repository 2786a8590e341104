"""The MLflow store that a URI names: opened soon or refused soon, in words that help."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from frugal_edge.errors import EdgeError
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SADeprecationWarning, SQLAlchemyError

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.uri import (
    database,
    default_uri,
    probe,
    reason,
    resolve,
    shown,
    sqlite_file,
)

FAILURES = (TrackingError, MlflowException, SQLAlchemyError, OSError, ImportError, EdgeError)
"""What logging may raise: the store's own errors, files, a database driver, a broken bundle."""


def load_store(uri: str | None) -> None:
    """Import what the store of a run needs, so that the time of it can be told apart.

    Raises
    ------
    TrackingError
        If the URI names no store.
    """
    if uri is None or database(resolve(uri)) is not None:
        import_module("mlflow.store.tracking.sqlalchemy_store")


def make_store(run_dir: Path, uri: str | None) -> bool:
    """Make the SQLite store of a run where there is none, and say whether it was made.

    Raises
    ------
    TrackingError
        If the URI names no store, or it cannot be made.
    """
    where = resolve(default_uri(run_dir.absolute().parent) if uri is None else uri)
    if database(where) != "sqlite" or sqlite_file(where).exists():
        return False
    try:
        with open_store(where, writing=True):
            return True
    except FAILURES as error:
        raise TrackingError(f"{shown(where)}: cannot be made: {reason(error)}") from error


@contextmanager
def open_store(uri: str, *, writing: bool) -> Iterator[MlflowClient]:
    """Connect to a store; a SQLite one is kept from other processes while it is written.

    Parameters
    ----------
    uri
        As `resolve` returns it.
    writing
        Whether a SQLite store is created where there is none, and must be writable.

    Raises
    ------
    TrackingError
        If there is no SQLite store to read.
    """
    kind = database(uri)
    if kind == "sqlite":
        path = sqlite_file(uri)
        if writing:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(path.parent):
                probe(uri, "BEGIN IMMEDIATE")
                yield _client(uri)
            return
        if not path.is_file():
            raise TrackingError("there is no such file: no run has been logged there")
    if kind is not None:
        probe(uri, "SELECT 1")
    yield _client(uri)


def _client(uri: str) -> MlflowClient:
    with warnings.catch_warnings():
        warnings.filterwarnings(  # mlflow's own tables, with a recent SQLAlchemy
            "ignore", "The ``noload`` loader strategy is deprecated", SADeprecationWarning
        )
        return MlflowClient(uri)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes out: two that create a store at once break its schema."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
