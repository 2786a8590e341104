"""A run folder into MLflow, as a whole or not at all."""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from frugal_edge.bundle import open_bundle

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
from frugal_ai.tracking.uri import artifact_location, default_uri, reason, resolve, shown
from frugal_ai.tracking.writer import Writer, failures, open_writer

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
        with open_writer(target) as writer:
            location = artifact_location(target, run_dir.absolute().parent, report.pipeline)
            experiment = _experiment(writer, report.pipeline, location)
            run = _logged(writer, experiment, report) or _log(writer, experiment, report, run_dir)
    except failures() as error:
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
        with open_writer(resolve(uri)) as writer:
            writer.log_artifact(run_id, run_dir / "ledger.jsonl")
    except failures() as error:
        raise TrackingError(f"{shown(uri)}: the ledger is not logged: {reason(error)}") from error


def _where(report: RunReport, run_dir: Path, uri: str | None) -> str:
    if uri is not None:
        return uri
    if report.mlflow is not None:
        return report.mlflow.uri
    return default_uri(run_dir.absolute().parent)


def _note(report: RunReport, run_dir: Path, outcome: MlflowReport) -> None:
    report.model_copy(update={"mlflow": outcome}).write(run_dir)


def _experiment(writer: Writer, name: str, location: str | None) -> str:
    found = writer.get_experiment(name)
    if found is None:
        return writer.create_experiment(name, location)
    number, stage = found
    if stage != "active":
        raise TrackingError(
            f"expected experiment {name!r} to be active, it is deleted; to restore it: "
            f"mlflow experiments restore --experiment-id {number}"
        )
    return number


def _logged(writer: Writer, experiment: str, report: RunReport) -> str | None:
    """Return the MLflow run of this report; what an attempt that was cut off left is removed."""
    complete = None
    wanted = {ROLE: "run", "frugal.run_id": report.run_id}
    for run_id, status in writer.search_runs(experiment, wanted):
        if status in _COMPLETE:
            complete = run_id
        else:
            _discard(writer, experiment, run_id)
    return complete


def _discard(writer: Writer, experiment: str, parent: str) -> None:
    for child, _ in writer.search_runs(experiment, {_PARENT: parent}):
        writer.discard(child)
    writer.discard(parent)


def _log(writer: Writer, experiment: str, report: RunReport, run_dir: Path) -> str:
    bundles = [open_bundle(run_dir / name) for name in report.bundles]
    start = _ms(report.started)
    parent = writer.create_run(experiment, start, _tags(report), report.pipeline).run_id
    try:
        writer.log_batch(parent, run_params(report), _figures(report, run_dir), _ms(report.ended))
        _artifacts(writer, parent, report, run_dir)
        for rung, row in zip(report.rungs, report.rows(), strict=True):
            tags = {**rung_tags(row), **source_tags(report), ROLE: "rung", _PARENT: parent}
            child = writer.create_run(experiment, start, tags, rung.rung)
            figures = _known(rung.flat())
            writer.log_batch(child.run_id, rung_params(rung), figures, _ms(rung.ended))
            if rung.chosen:
                log_models(writer, child, report.pipeline, bundles)
            writer.set_terminated(child.run_id, "FINISHED", _ms(rung.ended))
        writer.set_terminated(parent, _ENDS[report.status], _ms(report.ended))
    except failures():
        with suppress(*failures()):  # where the store is gone, the next attempt removes it
            _discard(writer, experiment, parent)
        raise
    return parent


def _tags(report: RunReport) -> dict[str, str]:
    tags = {**run_tags(report), **source_tags(report), ROLE: "run"}
    if report.compression is not None:
        tags["frugal.shipped"] = report.compression.shipped
    return tags


def _figures(report: RunReport, run_dir: Path) -> dict[str, float]:
    """Return the metrics of the run: of the chosen rung, of compressing it, of the bill."""
    best = next((rung for rung in report.rungs if rung.chosen), None)
    figures = {} if best is None else best.flat()
    figures |= _compression(report) | ledger_figures(run_dir / "ledger.jsonl")
    figures |= bill_figures(run_dir / "bill")
    return _known(figures | {"bill.years": report.context.fleet_years})


def _known(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items() if value is not None}


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


def _artifacts(writer: Writer, run: str, report: RunReport, run_dir: Path) -> None:
    for name in _FILES:
        if (run_dir / name).is_file():
            writer.log_artifact(run, run_dir / name)
    if (run_dir / "bill").is_dir():
        writer.log_artifacts(run, run_dir / "bill", "bill")
    for name in report.bundles:
        writer.log_artifacts(run, run_dir / name, name)


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
