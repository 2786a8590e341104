"""Runs in MLflow: a parent run per pipeline run, a child per rung, the chosen model registered.

The only importer of mlflow, which costs two seconds of CPU time and 150 MB: it is imported when
what needs it is asked for. `records` reads what MLflow keeps in a database without it, and `tables`
writes a SQLite store without it.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# mlflow reads these when it is imported or used; what the user has set stays.
for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # errors reach the user as a TrackingError
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # a run ends soon even when the server is away
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # [s]
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # no connection outlives its use
}.items():
    os.environ.setdefault(_name, _value)

if TYPE_CHECKING:
    from frugal_ai.tracking.log import log_ledger, log_run
    from frugal_ai.tracking.making import load_store, make_store
    from frugal_ai.tracking.rows import read_runs
    from frugal_ai.tracking.uri import default_uri

__all__ = ["default_uri", "load_store", "log_ledger", "log_run", "make_store", "read_runs"]

_HOMES = {
    "default_uri": "uri",
    "load_store": "making",
    "log_ledger": "log",
    "log_run": "log",
    "make_store": "making",
    "read_runs": "rows",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a page that reads a database does without mlflow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
