"""Runs in MLflow: a parent run per pipeline run, a child per rung, the chosen model registered.

The only importer of mlflow. Import it at the last moment: that costs a second of CPU time.
"""

import os

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

from frugal_ai.tracking.log import log_ledger, log_run  # noqa: E402 - the environment comes before mlflow
from frugal_ai.tracking.rows import read_runs  # noqa: E402 - likewise
from frugal_ai.tracking.store import default_uri  # noqa: E402 - likewise

__all__ = ["default_uri", "log_ledger", "log_run", "read_runs"]
