"""A run as a store has it, with all that a decision on it rests on; needs no mlflow."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from frugal_ai.errors import DataError, TrackingError
from frugal_ai.report import RunReport
from frugal_ai.report.run import NAME

Metrics = Mapping[str, Mapping[str, float]]
"""Metrics by the name of the rung; those of the run under the empty name."""


@dataclass(frozen=True)
class LoggedRun:
    """A run that was logged.

    Attributes
    ----------
    mlflow_run_id
        Of the parent run.
    report, report_sha256
        Its report, and the digest of the file.
    metrics
        What the store itself holds.
    manifests
        Manifest of each bundle, by its folder in the run.
    """

    mlflow_run_id: str
    report: RunReport
    report_sha256: str
    metrics: Metrics
    manifests: Mapping[str, bytes]


def no_run(run_id: str) -> str:
    """Say that there is no such run."""
    return f"has no finished run {run_id[:200]!r}; frugal-ai log RUN_DIR logs one"


def logged_run(mlflow_run_id: str, metrics: Metrics, file: Callable[[str], Path]) -> LoggedRun:
    """Read what a run has logged.

    Parameters
    ----------
    mlflow_run_id
        Of the parent run.
    metrics
        What the store holds.
    file
        Says where an artifact is, by its path in the run.

    Raises
    ------
    TrackingError
        If the report is none.
    OSError
        If an artifact is not there.
    """
    path = file(NAME)
    try:
        report = RunReport.read(path.parent)
    except DataError as error:
        raise TrackingError(f"run {mlflow_run_id}: {error}") from error
    return LoggedRun(
        mlflow_run_id,
        report,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        metrics,
        {name: file(f"{name}/manifest.json").read_bytes() for name in report.bundles},
    )
