"""A logged run from the tables of a database and its files, without mlflow where that will do."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy
from sqlalchemy import Connection, bindparam
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from frugal_ai.errors import TrackingError, UnknownModelError
from frugal_ai.tracking.content import ROLE
from frugal_ai.tracking.logged import LoggedRun, logged_run, no_run
from frugal_ai.tracking.uri import database, reading, resolve, shown, sqlite_file

_PARENT = sqlalchemy.text(
    "SELECT r.run_uuid, r.artifact_uri FROM runs r "
    "JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'frugal.run_id' AND t.value = :run_id "
    "JOIN tags k ON k.run_uuid = r.run_uuid AND k.key = :role AND k.value = 'run' "
    "WHERE r.lifecycle_stage = 'active' AND r.status = 'FINISHED' ORDER BY r.start_time DESC"
)
_RUNGS = sqlalchemy.text(
    "SELECT r.run_uuid, r.name FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid "
    "AND t.key = 'mlflow.parentRunId' AND t.value = :parent WHERE r.lifecycle_stage = 'active'"
)
_METRICS = sqlalchemy.text(
    "SELECT run_uuid, key, value FROM latest_metrics WHERE run_uuid IN :runs"
).bindparams(bindparam("runs", expanding=True))


def read_logged(uri: str, run_id: str) -> LoggedRun:
    """Return a run that was logged.

    Parameters
    ----------
    uri
        Tracking URI.
    run_id
        As its report says it.

    Raises
    ------
    TrackingError
        If the store cannot be read; `UnknownModelError` if it has no such run.
    """
    where = resolve(uri)
    found = _from_database(where, run_id) if database(where) is not None else None
    if found is not None:
        return found
    from frugal_ai.tracking.registry import open_registry

    with open_registry(uri, writing=False) as registry:
        return registry.run(run_id)


def _from_database(uri: str, run_id: str) -> LoggedRun | None:
    """Read a database; None where artifacts are not files of this machine."""
    if database(uri) == "sqlite" and not sqlite_file(uri).is_file():
        raise TrackingError(f"{shown(uri)}: there is no such file: no run has been logged there")
    with reading(uri, SQLAlchemyError, OSError):
        engine = sqlalchemy.create_engine(uri, poolclass=NullPool)
        with engine.connect() as connection:
            parent = connection.execute(_PARENT, {"run_id": run_id, "role": ROLE}).first()
            if parent is None:
                raise UnknownModelError(f"{shown(uri)}: {no_run(run_id)}")
            folder = _local(str(parent[1]))
            if folder is None:
                return None
            metrics = _metrics(connection, str(parent[0]))
        return logged_run(str(parent[0]), metrics, folder.joinpath)


def _local(artifacts: str) -> Path | None:
    url = urlsplit(artifacts)
    if url.scheme == "file" and url.netloc in {"", "localhost"}:
        return Path(unquote(url.path))
    return Path(artifacts) if not url.scheme and Path(artifacts).is_absolute() else None


def _metrics(connection: Connection, parent: str) -> dict[str, dict[str, float]]:
    names = {str(run): str(name) for run, name in connection.execute(_RUNGS, {"parent": parent})}
    names[parent] = ""
    found: dict[str, dict[str, float]] = {name: {} for name in names.values()}
    for run, key, value in connection.execute(_METRICS, {"runs": list(names)}):
        found[names[run]][str(key)] = float(value)
    return found
