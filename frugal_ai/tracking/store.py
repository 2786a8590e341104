"""The MLflow store that a URI names: opened soon or refused soon, in words that help."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from frugal_edge.errors import EdgeError
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SADeprecationWarning, SQLAlchemyError

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.alone import alone
from frugal_ai.tracking.uri import (
    database,
    probe,
    sqlite_file,
)

FAILURES = (TrackingError, MlflowException, SQLAlchemyError, OSError, ImportError, EdgeError)
"""What logging may raise: the store's own errors, files, a database driver, a broken bundle."""


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
            with alone(path.parent):
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
