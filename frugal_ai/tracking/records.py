"""Runs of a store as plain records: at first sight all of them, in full those that are shown.

A database is read by its tables, without mlflow, where MLflow's own search of ten thousand runs
takes tens of seconds. `follow` reads a server.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, bindparam
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.content import ROLE, row_fields, shared_tags
from frugal_ai.tracking.uri import database, reading, shown, sqlite_file

Stamp = tuple[int, int]
"""How many runs there are, and when the last one ended [ms]: equal while nothing changed."""

PARENT = "mlflow.parentRunId"
DONE = ("FINISHED", "KILLED")
"""How the run of a pipeline ends that is shown; a rung has to be finished."""

_BATCH = 500  # runs that one query names


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as MLflow keeps it: of a pipeline ("run") or of one of its rungs ("rung")."""

    run_id: str
    status: str
    artifact_uri: str
    started: int = 0  # [ms]
    ended: int = 0  # [ms]
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


@dataclass(frozen=True, slots=True)
class Head:
    """A rung at first sight: what has to be known of all before some are shown.

    Attributes
    ----------
    run_id, parent
        In MLflow, of the rung and of the run that it belongs to.
    rung, chosen, ended
        As its tags say them.
    shared
        What all rungs of a run have in common, by the names of a row's fields.
    """

    run_id: str
    parent: str
    rung: str
    chosen: bool
    ended: str
    shared: Mapping[str, str]


def read_stamp(where: str) -> Stamp:
    """Tell whether a database has changed since, without reading it.

    Raises
    ------
    TrackingError
        If it cannot be read.
    """
    with reading(where, SQLAlchemyError), _engine(where).connect() as connection:
        query = (
            "SELECT count(*), coalesce(max(end_time), 0) FROM runs WHERE lifecycle_stage = 'active'"
        )
        count, ended = connection.exec_driver_sql(query).one()
        return int(count), int(ended)


def read_heads(where: str) -> list[Head]:
    """Read the rungs of all runs in a database that finished or were interrupted.

    Raises
    ------
    TrackingError
        If it cannot be read.
    """
    with reading(where, SQLAlchemyError), _engine(where).connect() as connection:
        found = connection.execute(_HEADS, {"role": ROLE, "parent": PARENT}).all()
        first: dict[str, str] = {}
        for run_id, parent, *_ in found:
            first.setdefault(parent, run_id)
        shared = {
            run_id: row_fields(tags)
            for run_id, tags in _said(connection, _SHARED, first.values()).items()
        }
        return [
            Head(run_id, parent, rung, chosen == "true", ended, shared.get(first[parent], {}))
            for run_id, parent, rung, chosen, ended in found
        ]


def read_records(where: str, run_ids: Sequence[str]) -> dict[str, RunRecord]:
    """Read runs of a database in full, by their identity; one that is not there is left out.

    Raises
    ------
    TrackingError
        If it cannot be read.
    """
    with reading(where, SQLAlchemyError), _engine(where).connect() as connection:
        tags = _said(connection, _TAGS, run_ids)
        metrics = _said(connection, _METRICS, run_ids)
        return {
            name: RunRecord(
                name, status, place, started, ended, tags.get(name, {}), metrics.get(name, {})
            )
            for some in _batches(run_ids)
            for name, status, place, started, ended in connection.execute(_RUNS, {"runs": some})
        }


def _engine(uri: str) -> Engine:
    if database(uri) == "sqlite" and not sqlite_file(uri).is_file():
        raise TrackingError(
            f"{shown(uri)}: cannot be read: there is no such file: no run has been logged there"
        )
    return sqlalchemy.create_engine(uri, poolclass=NullPool)


_HEADS = sqlalchemy.text(
    "SELECT c.run_uuid, p.value, g.value, h.value, e.value FROM tags p "
    "JOIN runs c ON c.run_uuid = p.run_uuid "
    "JOIN tags k ON k.run_uuid = c.run_uuid AND k.key = :role AND k.value = 'rung' "
    "JOIN tags g ON g.run_uuid = c.run_uuid AND g.key = 'frugal.rung' "
    "JOIN tags h ON h.run_uuid = c.run_uuid AND h.key = 'frugal.chosen' "
    "JOIN tags e ON e.run_uuid = c.run_uuid AND e.key = 'frugal.ended' "
    "JOIN runs f ON f.run_uuid = p.value "
    "JOIN tags r ON r.run_uuid = f.run_uuid AND r.key = :role AND r.value = 'run' "
    "WHERE p.key = :parent AND c.lifecycle_stage = 'active' AND c.status = 'FINISHED' "
    "AND f.lifecycle_stage = 'active' AND f.status IN ('FINISHED', 'KILLED')"
)
_RUNS = sqlalchemy.text(
    "SELECT run_uuid, status, artifact_uri, start_time, coalesce(end_time, 0) FROM runs "
    "WHERE lifecycle_stage = 'active' AND run_uuid IN :runs"
).bindparams(bindparam("runs", expanding=True))
_TAGS = sqlalchemy.text("SELECT run_uuid, key, value FROM tags WHERE run_uuid IN :runs").bindparams(
    bindparam("runs", expanding=True)
)
_SHARED = sqlalchemy.text(
    "SELECT run_uuid, key, value FROM tags WHERE run_uuid IN :runs AND key IN :keys"
).bindparams(
    bindparam("runs", expanding=True), bindparam("keys", value=list(shared_tags()), expanding=True)
)
_METRICS = sqlalchemy.text(
    "SELECT run_uuid, key, value FROM latest_metrics WHERE run_uuid IN :runs"
).bindparams(bindparam("runs", expanding=True))


def _said(
    connection: sqlalchemy.Connection, query: sqlalchemy.TextClause, runs: Any
) -> dict[str, dict[str, Any]]:
    """Read names and values of runs."""
    found: dict[str, dict[str, Any]] = {}
    for some in _batches(list(runs)):
        for run_id, key, value in connection.execute(query, {"runs": some}):
            found.setdefault(run_id, {})[key] = value
    return found


def _batches(runs: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(runs), _BATCH):
        yield list(runs[start : start + _BATCH])
