"""All runs of a store as plain records, by one query, and when the store last changed.

A database is read by its tables, without mlflow: ten thousand runs in a second or two, where
MLflow's own search takes tens of seconds. A server is asked through MLflow's client.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.content import ROLE
from frugal_ai.tracking.uri import database, reading, resolve, shown, sqlite_file

Stamp = tuple[int, int]
"""How many runs there are, and when the last one ended [ms]: equal while nothing changed."""

PARENT = "mlflow.parentRunId"
_DONE = ("FINISHED", "KILLED")
_BATCH = 2_000  # rows that are held at once


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as MLflow keeps it: of a pipeline ("run") or of one of its rungs ("rung")."""

    run_id: str
    status: str
    artifact_uri: str
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """What it is a run of."""
        return self.tags.get(ROLE, "")

    @property
    def parent(self) -> str | None:
        """The run of the pipeline that a rung belongs to."""
        return self.tags.get(PARENT)


def read_stamp(uri: str) -> Stamp:
    """Tell whether a store has changed since, without reading it.

    Raises
    ------
    TrackingError
        If the store cannot be read.
    """
    where = resolve(uri)
    if database(where) is None:
        from frugal_ai.tracking.search import search_stamp

        return search_stamp(where)
    with reading(where, SQLAlchemyError), _engine(where).connect() as connection:
        query = (
            "SELECT count(*), coalesce(max(end_time), 0) FROM runs WHERE lifecycle_stage = 'active'"
        )
        count, ended = connection.exec_driver_sql(query).one()
        return int(count), int(ended)


def read_records(uri: str, metrics: tuple[str, ...], tags: tuple[str, ...]) -> list[RunRecord]:
    """Read all finished or interrupted runs of frugal-ai.

    Parameters
    ----------
    uri
        Tracking URI.
    metrics, tags
        Those that are wanted; ``%`` stands for any signs.

    Raises
    ------
    TrackingError
        If the store cannot be read.
    """
    where = resolve(uri)
    if database(where) is None:
        from frugal_ai.tracking.search import search_records

        return search_records(where)
    with reading(where, SQLAlchemyError):
        return _read(_engine(where), metrics, (ROLE, PARENT, *tags))


def _engine(uri: str) -> Engine:
    if database(uri) == "sqlite" and not sqlite_file(uri).is_file():
        raise TrackingError(
            f"{shown(uri)}: cannot be read: there is no such file: no run has been logged there"
        )
    return sqlalchemy.create_engine(uri, poolclass=NullPool)


_RUNS = sqlalchemy.table(
    "runs",
    *map(sqlalchemy.column, ("run_uuid", "status", "artifact_uri", "lifecycle_stage")),
)


def _read(engine: Engine, metrics: tuple[str, ...], tags: tuple[str, ...]) -> list[RunRecord]:
    chosen = sqlalchemy.select(_RUNS.c.run_uuid, _RUNS.c.status, _RUNS.c.artifact_uri).where(
        _RUNS.c.lifecycle_stage == "active", _RUNS.c.status.in_(_DONE)
    )
    names: dict[Any, Any] = {}  # each name and each repeated text is kept once
    with engine.connect() as connection:
        found = {run_id: RunRecord(run_id, *rest) for run_id, *rest in connection.execute(chosen)}
        for run_id, said in _said(connection, "tags", tags, names):
            if run_id in found:
                found[run_id].tags.update(said)
        for run_id, said in _said(connection, "latest_metrics", metrics, names):
            if run_id in found:
                found[run_id].metrics.update(said)
    return [one for one in found.values() if one.role]


def _said(
    connection: sqlalchemy.Connection, name: str, wanted: tuple[str, ...], names: dict[Any, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read names and values of all runs: in SQLite one line for each run, else for each value."""
    table = sqlalchemy.table(name, *map(sqlalchemy.column, ("run_uuid", "key", "value")))
    run, key, value = table.c.run_uuid, table.c.key, table.c.value
    sqlite = connection.dialect.name == "sqlite"
    # written so, SQLite reads the table in order, which is faster than by its index of keys
    sought = sqlalchemy.literal_column("key || ''", sqlalchemy.String) if sqlite else key
    plain = sought.in_([one for one in wanted if "%" not in one])
    starts = [sought.like(one) for one in wanted if "%" in one]
    kept = sqlalchemy.or_(plain, *starts)
    spare = connection.execution_options(yield_per=_BATCH)
    if sqlite:
        grouped = sqlalchemy.func.json_group_object(key, value)
        query = sqlalchemy.select(run, grouped).where(kept).group_by(run)
        for run_id, text in spare.execute(query):
            yield run_id, json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, names))
        return
    for run_id, one, said in spare.execute(sqlalchemy.select(run, key, value).where(kept)):
        yield run_id, _once([(one, said)], names)


def _once(pairs: list[tuple[str, Any]], names: dict[Any, Any]) -> dict[str, Any]:
    return {
        names.setdefault(key, key): names.setdefault(value, value)
        if isinstance(value, str)
        else value
        for key, value in pairs
    }


def children(records: Mapping[str, RunRecord]) -> Iterator[tuple[RunRecord, RunRecord]]:
    """Pair each finished rung with the run that it belongs to."""
    for one in records.values():
        parent = records.get(one.parent or "")
        if one.role == "rung" and one.status == "FINISHED" and parent is not None:
            yield one, parent
