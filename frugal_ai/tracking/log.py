"""A run folder into MLflow, as a whole or not at all."""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from frugal_edge.bundle import open_bundle
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from frugal_ai.errors import OutputError, TrackingError
from frugal_ai.report import MlflowReport, RunReport
from frugal_ai.tracking.bill import bill_figures, ledger_figures
from frugal_ai.tracking.content import (
    ROLE,
    run_params,
    run_tags,
    rung_params,
    rung_tags,
    source_tags,
)
from frugal_ai.tracking.model import log_models
from frugal_ai.tracking.store import FAILURES, open_store
from frugal_ai.tracking.uri import artifact_location, default_uri, reason, resolve, shown

_FILES = (
    "run.json", "ledger.jsonl", "pareto.svg", "leaderboard.json", "leaderboard.csv",
    "forecasts.parquet", "compression.csv", "compression.svg",
)  # fmt: skip
_COMPLETE = {"FINISHED", "KILLED"}
_ENDS = {"finished": "FINISHED", "interrupted": "KILLED"}
_PARENT = "mlflow.parentRunId"


def log_run(run_dir: Path, uri: str | None = None) -> MlflowReport:
    """Log a finished or interrupted run, and note in its report where it is, or why not.

    A run that is there already is not logged again.

    Parameters
    ----------
    run_dir
        The run folder.
    uri
        Tracking URI; by default that of an earlier attempt, else ``mlflow.db`` beside the folder.

    Raises
    ------
    TrackingError
        If the store cannot be reached or written: nothing is left half-logged, and the message
        says how to log later.
    DataError
        If the run folder's report cannot be read.
    OutputError
        If the report cannot be written.
    """
    report = RunReport.read(run_dir)
    where = _where(report, run_dir, uri)
    try:
        target = resolve(where)
        with open_store(target, writing=True) as client:
            location = artifact_location(target, run_dir.absolute().parent, report.pipeline)
            experiment = _experiment(client, report.pipeline, location)
            run = _logged(client, experiment, report) or _log(client, experiment, report, run_dir)
    except FAILURES as error:
        why = reason(error)
        if report.mlflow is None or not report.mlflow.logged:
            with suppress(OutputError):
                _note(report, run_dir, MlflowReport(uri=shown(where), logged=False, why=why))
        later = shlex.join(["frugal-ai", "log", str(run_dir)])
        raise TrackingError(
            f"{shown(where)}: the run is not logged: {why}. To log it later: {later}"
        ) from error
    done = MlflowReport(uri=shown(target), logged=True, run_id=run, experiment_id=experiment)
    if report.mlflow != done:
        _note(report, run_dir, done)
    return done


def log_ledger(run_dir: Path, uri: str, run_id: str) -> None:
    """Replace the ledger of a logged run, after what logging itself cost was booked.

    Raises
    ------
    TrackingError
        If the store cannot be written; the run stays logged with the ledger that it has.
    """
    try:
        with open_store(resolve(uri), writing=True) as client:
            client.log_artifact(run_id, str(run_dir / "ledger.jsonl"))
    except FAILURES as error:
        raise TrackingError(f"{shown(uri)}: the ledger is not logged: {reason(error)}") from error


def _where(report: RunReport, run_dir: Path, uri: str | None) -> str:
    if uri is not None:
        return uri
    if report.mlflow is not None:
        return report.mlflow.uri
    return default_uri(run_dir.absolute().parent)


def _note(report: RunReport, run_dir: Path, outcome: MlflowReport) -> None:
    report.model_copy(update={"mlflow": outcome}).write(run_dir)


def _experiment(client: MlflowClient, name: str, location: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(name)  # somebody else was faster
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"expected experiment {name!r} to be active, it is deleted; to restore it: "
            f"mlflow experiments restore --experiment-id {found.experiment_id}"
        )
    return str(found.experiment_id)


def _logged(client: MlflowClient, experiment: str, report: RunReport) -> str | None:
    """Return the MLflow run of this report; what an attempt that was cut off left is removed."""
    wanted = f"tags.`{ROLE}` = 'run' and tags.`frugal.run_id` = '{report.run_id}'"
    complete = None
    for run in client.search_runs([experiment], wanted):
        if run.info.status in _COMPLETE:
            complete = str(run.info.run_id)
        else:
            _discard(client, experiment, run.info.run_id)
    return complete


def _discard(client: MlflowClient, experiment: str, parent: str) -> None:
    for child in client.search_runs([experiment], f"tags.`{_PARENT}` = '{parent}'"):
        for version in client.search_model_versions(f"run_id = '{child.info.run_id}'"):
            client.delete_model_version(version.name, version.version)
        client.delete_run(child.info.run_id)
    client.delete_run(parent)


def _log(client: MlflowClient, experiment: str, report: RunReport, run_dir: Path) -> str:
    bundles = {name: open_bundle(run_dir / name) for name in report.bundles}
    start = _ms(report.started)
    tags = {**run_tags(report), **source_tags(report), ROLE: "run"}
    if report.compression is not None:
        tags["frugal.shipped"] = report.compression.shipped
    parent = client.create_run(experiment, start, tags, report.pipeline).info.run_id
    try:
        best = next((rung for rung in report.rungs if rung.chosen), None)
        figures = {} if best is None else best.flat()
        figures |= _compression(report) | ledger_figures(run_dir / "ledger.jsonl")
        figures |= bill_figures(run_dir / "bill")
        if report.context.fleet_years is not None:
            figures["bill.years"] = report.context.fleet_years
        _batch(client, parent, run_params(report), figures, report.ended)
        _artifacts(client, parent, report, run_dir)
        for rung, row in zip(report.rungs, report.rows(), strict=True):
            tags = {**rung_tags(row), **source_tags(report), ROLE: "rung", _PARENT: parent}
            child = client.create_run(experiment, start, tags, rung.rung).info
            _batch(client, child.run_id, rung_params(rung), rung.flat(), rung.ended)
            if rung.chosen:
                log_models(client, child, report.pipeline, list(bundles.values()))
            client.set_terminated(child.run_id, "FINISHED", _ms(rung.ended))
        client.set_terminated(parent, _ENDS[report.status], _ms(report.ended))
    except FAILURES:
        with suppress(*FAILURES):  # where the store is gone, the next attempt removes it
            _discard(client, experiment, parent)
        raise
    return str(parent)


def _batch(
    client: MlflowClient,
    run: str,
    params: Mapping[str, str],
    figures: Mapping[str, float | None],
    at: datetime,
) -> None:
    """Log all of a run at once: each call to the store is some transactions."""
    client.log_batch(
        run,
        metrics=[Metric(k, float(v), _ms(at), 0) for k, v in figures.items() if v is not None],
        params=[Param(name, value) for name, value in params.items()],
    )


def _compression(report: RunReport) -> dict[str, float | None]:
    """Return what compressing cost, and each figure of every candidate."""
    found = report.compression
    if found is None:
        return {}
    figures: dict[str, float | None] = {
        "compression.co2e_g": found.co2e_g,
        "compression.cpu_s": found.cpu_s,
    }
    for one in found.candidates:
        row = one.model_dump(
            exclude={"kind", "retained_ci", "verdict", "misses"}, exclude_none=True
        )
        figures |= {f"compression.{one.kind}.{name}": value for name, value in row.items()}
    return figures


def _artifacts(client: MlflowClient, run: str, report: RunReport, run_dir: Path) -> None:
    for name in _FILES:
        if (run_dir / name).is_file():
            client.log_artifact(run, str(run_dir / name))
    if (run_dir / "bill").is_dir():
        client.log_artifacts(run, str(run_dir / "bill"), "bill")
    for name in report.bundles:
        client.log_artifacts(run, str(run_dir / name), name)


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
