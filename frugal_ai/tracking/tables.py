"""Runs written into the tables of MLflow's SQLite store, as its client writes them.

A test logs the same run both ways, and holds every row of one store against the other.
"""

import math
import shutil
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.uri import sqlite_file
from frugal_ai.tracking.writer import Started, Version

_COLUMNS: Mapping[str, frozenset[str]] = {
    "experiments": frozenset(
        {"experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time",
         "last_update_time"}
    ),
    "runs": frozenset(
        {"run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status",
         "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri",
         "experiment_id", "deleted_time"}
    ),
    "tags": frozenset({"key", "value", "run_uuid"}),
    "params": frozenset({"key", "value", "run_uuid"}),
    "metrics": frozenset({"key", "value", "timestamp", "run_uuid", "step", "is_nan"}),
    "latest_metrics": frozenset({"key", "value", "timestamp", "step", "is_nan", "run_uuid"}),
    "registered_models": frozenset({"name", "creation_time", "last_updated_time"}),
    "model_versions": frozenset(
        {"name", "version", "creation_time", "last_updated_time", "user_id", "current_stage",
         "source", "run_id", "status", "run_link", "storage_location", "description",
         "status_message"}
    ),
    "model_version_tags": frozenset({"key", "value", "name", "version"}),
    "registered_model_aliases": frozenset({"alias", "version", "name"}),
}  # fmt: skip
"""What is written or asked for; a table may have more, if nobody has to give it."""

_ELSEWHERE = (
    "SELECT 1 FROM experiments WHERE artifact_location LIKE '%://%'"
    " AND artifact_location NOT LIKE 'file://%' LIMIT 1"
)
"""Finds experiments whose files are not on this machine."""


def fit(uri: str) -> bool:
    """Say whether a store has the tables that are known here, and nothing that has to be given."""
    if not sqlite_file(uri).is_file():
        return False
    try:
        with _connected(uri) as connection:
            known = all(_fits(connection, *table) for table in _COLUMNS.items())
            return known and connection.execute(_ELSEWHERE).fetchone() is None
    except (sqlite3.Error, SQLAlchemyError):
        return False  # mlflow's own client says what is wrong


def _fits(connection: sqlite3.Connection, table: str, known: frozenset[str]) -> bool:
    there = {}
    for _, name, _, required, default, key in connection.execute(f"PRAGMA table_info({table})"):
        there[name] = (required or key) and default is None
    return known <= there.keys() and not any(there[name] for name in there.keys() - known)


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    """Connect as the options in the URI say, and leave transactions to the caller."""
    with closing(sqlalchemy.create_engine(uri, poolclass=NullPool).raw_connection()) as lent:
        connection = lent.driver_connection
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - of such a URI it is one
        connection.isolation_level = None
        yield connection


@contextmanager
def open_tables(uri: str) -> Iterator["Tables"]:
    """Write to a store: all that is written within, or nothing.

    Raises
    ------
    sqlite3.Error
        If it cannot be written.
    SQLAlchemyError
        If it cannot be opened.
    """
    with _connected(uri) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        tables, written = Tables(connection), False
        try:
            yield tables
            connection.execute("COMMIT")
            written = True
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not written:
                tables.remove_files()


class Tables:
    """Writes rows within a transaction; made by `open_tables`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._made: list[Path] = []

    def remove_files(self) -> None:
        """Remove the files of runs that were begun within."""
        for folder in self._made:
            shutil.rmtree(folder, ignore_errors=True)

    def get_experiment(self, name: str) -> tuple[str, str] | None:
        """Return the id and the stage of an experiment."""
        query = "SELECT experiment_id, lifecycle_stage FROM experiments WHERE name = ?"
        for number, stage in self._connection.execute(query, (name,)):
            return str(number), str(stage)
        return None

    def create_experiment(self, name: str, location: str | None) -> str:
        """Create an experiment; nobody else can meanwhile."""
        now = _now_ms()
        row = {
            "name": name, "artifact_location": location, "lifecycle_stage": "active",
            "creation_time": now, "last_update_time": now,
        }  # fmt: skip
        return str(self._insert("experiments", [row]))

    def search_runs(self, experiment: str, tags: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return ids and states of the runs that have these tags."""
        query = (
            "SELECT run_uuid, status FROM runs r"
            " WHERE experiment_id = ? AND lifecycle_stage = 'active'"
        )
        for _ in tags:
            query += (
                " AND EXISTS (SELECT 1 FROM tags t"
                " WHERE t.run_uuid = r.run_uuid AND t.key = ? AND t.value = ?)"
            )
        sought = [text for pair in tags.items() for text in pair]
        found = self._connection.execute(query, (int(experiment), *sought))
        return [(str(run), str(status)) for run, status in found]

    def create_run(
        self, experiment: str, start_ms: int, tags: Mapping[str, str], name: str
    ) -> Started:
        """Begin a run."""
        run_id = uuid.uuid4().hex
        query = "SELECT artifact_location FROM experiments WHERE experiment_id = ?"
        (home,) = self._connection.execute(query, (int(experiment),)).fetchone()
        place = f"{str(home).rstrip('/')}/{run_id}/artifacts"
        row = {
            "run_uuid": run_id, "name": name, "source_type": "UNKNOWN", "source_name": "",
            "entry_point_name": "", "user_id": "unknown", "status": "RUNNING",
            "start_time": start_ms, "source_version": "", "lifecycle_stage": "active",
            "artifact_uri": place, "experiment_id": int(experiment),
        }  # fmt: skip
        self._insert("runs", [row])
        self._say("tags", run_id, {**tags, "mlflow.runName": name})
        self._made.append(_folder(place).parent)
        return Started(run_id, place)

    def log_batch(
        self, run_id: str, params: Mapping[str, str], figures: Mapping[str, float], at_ms: int
    ) -> None:
        """Log all parameters and metrics of a run at once."""
        self._say("params", run_id, params)
        rows = [
            {"key": key, **_stored(value), "timestamp": at_ms, "step": 0, "run_uuid": run_id}
            for key, value in figures.items()
        ]
        self._insert("metrics", rows)
        self._insert("latest_metrics", rows)

    def log_artifact(self, run_id: str, path: Path) -> None:
        """Copy a file to where those of the run are."""
        shutil.copy2(path, self._place(run_id, ""))

    def log_artifacts(self, run_id: str, folder: Path, place: str) -> None:
        """Copy what a folder holds."""
        shutil.copytree(folder, self._place(run_id, place), dirs_exist_ok=True)

    def create_model_version(
        self, name: str, source: str, run_id: str, tags: Mapping[str, str]
    ) -> Version:
        """Register a version of a model, and the model where it is new."""
        now, run = _now_ms(), self._connection.execute
        known = run("SELECT 1 FROM registered_models WHERE name = ?", (name,)).fetchone()
        if known is None:
            self._insert("registered_models", [{"name": name, "creation_time": now}])
        run("UPDATE registered_models SET last_updated_time = ? WHERE name = ?", (now, name))
        query = "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE name = ?"
        (version,) = run(query, (name,)).fetchone()
        row = {
            "name": name, "version": version, "creation_time": now, "last_updated_time": now,
            "current_stage": "None", "source": source, "run_id": run_id, "status": "READY",
            "storage_location": source,
        }  # fmt: skip
        self._insert("model_versions", [row])
        said = [{"key": k, "value": v, "name": name, "version": version} for k, v in tags.items()]
        self._insert("model_version_tags", said)
        return Version(name, str(version))

    def set_registered_model_alias(self, version: Version, alias: str) -> None:
        """Put an alias on a version, and take it from the one that had it."""
        self._unalias("name = ? AND alias = ?", (version.name, alias))
        row = {"name": version.name, "alias": alias, "version": int(version.version)}
        self._insert("registered_model_aliases", [row])

    def set_terminated(self, run_id: str, status: str, end_ms: int) -> None:
        """End a run."""
        change = "UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ?"
        self._connection.execute(change, (status, end_ms, run_id))

    def discard(self, run_id: str) -> None:
        """Delete a run, and the versions that were registered from it, as MLflow does."""
        now, run = _now_ms(), self._connection.execute
        query = "SELECT name, version FROM model_versions WHERE run_id = ?"
        for name, version in run(query, (run_id,)).fetchall():
            self._unalias("name = ? AND version = ?", (name, version))
        run(
            "UPDATE model_versions SET current_stage = 'Deleted_Internal', last_updated_time = ?,"
            " description = NULL, user_id = NULL, source = 'REDACTED-SOURCE-PATH',"
            " run_id = 'REDACTED-RUN-ID', run_link = 'REDACTED-RUN-LINK', status_message = NULL"
            " WHERE run_id = ?",
            (now, run_id),
        )
        run(
            "UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE run_uuid = ?",
            (now, run_id),
        )

    def _unalias(self, which: str, values: tuple[object, ...]) -> None:
        change = f"DELETE FROM registered_model_aliases WHERE {which}"  # noqa: S608 - written here
        self._connection.execute(change, values)

    def _say(self, table: str, run_id: str, said: Mapping[str, str]) -> None:
        rows = [{"key": key, "value": text, "run_uuid": run_id} for key, text in said.items()]
        self._insert(table, rows)

    def _insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> int:
        """Insert rows of equal columns, and return the number of the last one."""
        if not rows:
            return 0
        names = ", ".join(rows[0])
        marks = ", ".join("?" * len(rows[0]))
        change = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - named here
        cursor = self._connection.cursor()
        for row in rows:
            cursor.execute(change, list(row.values()))
        return int(cursor.lastrowid or 0)

    def _place(self, run_id: str, place: str) -> Path:
        query = "SELECT artifact_uri FROM runs WHERE run_uuid = ?"
        (uri,) = self._connection.execute(query, (run_id,)).fetchone()
        folder = _folder(uri) / place
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _stored(value: float) -> dict[str, object]:
    """Write a metric as MLflow does: SQL has no NaN and no infinity."""
    if math.isnan(value):
        return {"value": 0.0, "is_nan": True}
    greatest = sys.float_info.max
    return {"value": max(-greatest, min(value, greatest)), "is_nan": False}


def _folder(uri: str) -> Path:
    """Return the folder that an artifact URI names.

    Raises
    ------
    TrackingError
        If it is not on this machine.
    """
    parts = urlsplit(uri)
    if parts.scheme not in {"", "file"}:
        raise TrackingError(f"{uri}: expected artifacts in a folder of this machine")
    return Path(unquote(parts.path)) if parts.scheme else Path(uri)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
