"""The contract of what a run is logged with, and the choice between the two that keep it."""

import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from frugal_edge.errors import EdgeError
from sqlalchemy.exc import SQLAlchemyError

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.alone import alone
from frugal_ai.tracking.uri import database, sqlite_file


@dataclass(frozen=True)
class Started:
    """A run that was begun.

    Attributes
    ----------
    run_id
        Its id in MLflow.
    artifact_uri
        Where its files go.
    """

    run_id: str
    artifact_uri: str


@dataclass(frozen=True)
class Version:
    """A version of a registered model."""

    name: str
    version: str


class Writer(Protocol):
    """Writes runs and models as MLflow keeps them; method by method what its client does."""

    def get_experiment(self, name: str) -> tuple[str, str] | None:
        """Return the id and the stage (``active``, ``deleted``) of an experiment."""
        ...

    def create_experiment(self, name: str, location: str | None) -> str:
        """Create an experiment, unless somebody else was faster, and return its id."""
        ...

    def search_runs(self, experiment: str, tags: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return ids and states of the runs that have these tags and were not deleted."""
        ...

    def create_run(
        self, experiment: str, start_ms: int, tags: Mapping[str, str], name: str
    ) -> Started:
        """Begin a run."""
        ...

    def log_batch(
        self, run_id: str, params: Mapping[str, str], figures: Mapping[str, float], at_ms: int
    ) -> None:
        """Log all parameters and metrics of a run at once."""
        ...

    def log_artifact(self, run_id: str, path: Path) -> None:
        """Log a file."""
        ...

    def log_artifacts(self, run_id: str, folder: Path, place: str) -> None:
        """Log what a folder holds, under a path in the run."""
        ...

    def create_model_version(
        self, name: str, source: str, run_id: str, tags: Mapping[str, str]
    ) -> Version:
        """Register a version of a model, and the model where it is new."""
        ...

    def set_registered_model_alias(self, version: Version, alias: str) -> None:
        """Put an alias on a version, and take it from the one that had it."""
        ...

    def set_terminated(self, run_id: str, status: str, end_ms: int) -> None:
        """End a run."""
        ...

    def discard(self, run_id: str) -> None:
        """Delete a run, and the versions that were registered from it."""
        ...


def failures() -> tuple[type[Exception], ...]:
    """Return what a writer may raise: MLflow's errors among them once it has been imported."""
    found = (TrackingError, sqlite3.Error, SQLAlchemyError, OSError, ImportError, EdgeError)
    if "mlflow.exceptions" not in sys.modules:
        return found
    from mlflow.exceptions import MlflowException

    return (*found, MlflowException)


@contextmanager
def open_writer(uri: str) -> Iterator[Writer]:
    """Open a store to write to it.

    A SQLite store whose tables are known is written to directly, without mlflow, whose import and
    checks take more CPU time than a short run. All others are left to MLflow's client.

    Parameters
    ----------
    uri
        As `resolve` returns it.

    Raises
    ------
    TrackingError
        Or another of `failures`, if it cannot be opened or written.
    """
    if is_known(uri):
        from frugal_ai.tracking.tables import open_tables

        with alone(sqlite_file(uri).parent), open_tables(uri) as tables:
            yield tables
        return
    from frugal_ai.tracking.client import ClientWriter
    from frugal_ai.tracking.store import open_store

    with open_store(uri, writing=True) as client:
        yield ClientWriter(client)


def is_known(uri: str) -> bool:
    """Say whether a URI names a SQLite store that can be written without mlflow."""
    from frugal_ai.tracking.tables import fit

    if database(uri) != "sqlite" or os.environ.get("MLFLOW_ENABLE_WORKSPACES"):
        return False
    return fit(uri)
