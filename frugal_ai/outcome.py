"""What a run leaves behind: its report, and a bundle for each series."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np

from frugal_ai.backtest.compare import Interval
from frugal_ai.backtest.probabilistic import QuantileScore
from frugal_ai.cost.context import CostContext
from frugal_ai.export.bundle import Provenance, write_bundle
from frugal_ai.export.card import model_card
from frugal_ai.export.example import write_example
from frugal_ai.judge import Judged, Judgement
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared
from frugal_ai.provenance import git_revision, versions
from frugal_ai.report import (
    ContextReport,
    HardwareReport,
    LevelReport,
    NotRun,
    OriginsReport,
    RungReport,
    RunReport,
)
from frugal_ai.report.forecasts import ForecastTable

Status = Literal["finished", "interrupted"]


def run_report(
    pipeline: Pipeline,
    path: Path,
    run_id: str,
    started: int,
    status: Status,
    prepared: Prepared,
    judgement: Judgement | None,
    context: CostContext,
    not_run: Sequence[NotRun] = (),
) -> RunReport:
    """Describe a run; an interrupted one has chosen nothing.

    Parameters
    ----------
    path
        The pipeline's file.
    started
        When the run started [unix s].
    judgement
        None where no rung was finished.
    not_run
        Rungs that were left out.
    """
    finished = judgement if status == "finished" else None
    judged = judgement.rungs if judgement else ()
    chosen = finished.chosen if finished else None
    return RunReport(
        schema_version=1,
        run_id=run_id,
        pipeline=pipeline.name,
        title=pipeline.title,
        kind=pipeline.kind,
        unit=pipeline.unit,
        simulated=prepared.panel.simulated,
        weather=pipeline.covariates.weather(prepared.panel.vintages),
        recalibrated=pipeline.recalibrates,
        started=_utc(started),
        ended=_utc(int(time.time())),
        status=status,
        git_revision=git_revision(path.parent),
        data_digest=prepared.panel.digest(),
        targets_digest=_targets_digest(prepared),
        timezone=pipeline.timezone,
        pipeline_yaml=path.read_text(encoding="utf-8"),
        seed=pipeline.seed,
        context=_context(pipeline, context),
        versions=versions(),
        origins=OriginsReport(
            validation=len(prepared.split.validation), test=len(prepared.split.test)
        ),
        chosen=finished.chosen_name if finished else None,
        reason=finished.reason if finished else "",
        rungs=tuple(_rung(one, chosen=one is chosen) for one in judged),
        not_run=tuple(not_run),
    )


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def _targets_digest(prepared: Prepared) -> str:
    """Digest the test origins and what was observed after them."""
    sha = hashlib.sha256(prepared.split.test.astype("<i8").tobytes())
    for series in prepared.series:
        sha.update(series.name.encode())
        targets = series.targets(prepared.split.test)
        # one bit pattern for each number: NaN has many, zero has two
        plain = np.where(np.isnan(targets), np.nan, targets) + 0.0
        sha.update(plain.astype("<f8").tobytes())
    return sha.hexdigest()


def _context(pipeline: Pipeline, context: CostContext) -> ContextReport:
    known = asdict(context.hardware)
    return ContextReport(
        country=context.country,
        intensity_g_per_kwh=context.intensity.value,
        pue=context.pue,
        hardware=HardwareReport(**{n: known[n] for n in HardwareReport.model_fields if n in known}),
        energy_method=context.power.method,
        energy_spread=context.power.spread,
        threads=context.threads,
        forecasts=pipeline.cost.forecasts * len(pipeline.series),
    )


def _rung(judged: Judged, *, chosen: bool) -> RungReport:
    one, verdict, scored = judged.climbed, judged.verdict, judged.score
    return RungReport(
        rung=one.rung.name,
        family=one.rung.family,
        params=one.rung.model_dump(mode="json"),
        mae=scored.mae,
        rmse=scored.rmse,
        nmae=scored.nmae,
        mase=scored.mase,
        mae_ci=_bounds(judged.mae),
        skill=judged.skill.value,
        skill_ci=_bounds(judged.skill),
        validation_mae=judged.validation_mae,
        gain=verdict.gain.value if verdict.gain and isfinite(verdict.gain.value) else None,
        gain_ci=_bounds(verdict.gain) if verdict.gain else None,
        over=verdict.over,
        **_quantile_figures(judged.quantiles),
        fit_cpu_s=one.cost.fit_cpu_s,
        energy_wh=one.cost.training.energy_wh,
        co2e_g=one.cost.training.co2e_g,
        co2e_g_per_1000=one.cost.per_1000.co2e_g,
        co2e_spread=one.cost.spread,
        bytes=one.bytes,
        latency_us=one.cost.latency_us,
        verdict=verdict.verdict,
        chosen=chosen,
        tuning=one.tuning,
        ended=_utc(one.ended),
    )


def _quantile_figures(scored: QuantileScore | None) -> dict[str, Any]:
    if scored is None:
        return {}
    coverage = scored.coverage
    return {
        "pinball": scored.pinball,
        "npinball": scored.npinball,
        "crps": scored.crps,
        "coverage": coverage.value if coverage else None,
        "coverage_ci": _bounds(coverage) if coverage else None,
        "coverage_nominal": scored.nominal,
        "sharpness": scored.sharpness,
        "nsharpness": scored.nsharpness,
        "levels": tuple(
            LevelReport(
                level=one.level,
                pinball=one.pinball,
                share=one.share if isfinite(one.share) else None,
            )
            for one in scored.by_level
        ),
    }


def _bounds(interval: Interval) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval.known else None


def write_bundles(
    out: Path, pipeline: Pipeline, prepared: Prepared, judgement: Judgement, report: RunReport
) -> tuple[str, ...]:
    """Write the chosen model of each series; a single series has its bundle in ``bundle`` itself.

    Beside them go input files for one forecast of the first series.

    Returns
    -------
    tuple[str, ...]
        Folders, relative to the run's; none where no rung is chosen.

    Raises
    ------
    ExportError, OutputError
        If a bundle cannot be made or written.
    """
    if judgement.chosen is None:
        return ()
    chosen = judgement.chosen.climbed
    row = next(rung for rung in report.rungs if rung.chosen)
    costs, metrics = _costs(row, report), _metrics(row, report)
    provenance = Provenance(
        created=int(report.started.timestamp()),
        data_digest=report.data_digest,
        git_revision=report.git_revision,
        metrics=metrics,
        costs=costs,
        mlflow={"experiment": pipeline.name, "frugal_run_id": report.run_id},
    )
    folders = []
    for series, model, exported in zip(
        prepared.series, chosen.evaluation.models, chosen.exported, strict=True
    ):
        folder = Path("bundle") if len(prepared.series) == 1 else Path("bundle") / series.name
        write_bundle(
            out / folder,
            pipeline=pipeline,
            rung=row.rung,
            series=series,
            model=model,
            exported=exported,
            origins=prepared.split.test,
            provenance=provenance,
            card=model_card(pipeline, series.name, report, costs),
        )
        folders.append(folder.as_posix())
    origin = int(prepared.split.test[-1])
    write_example(out / "example", prepared.series[0], chosen.evaluation.models[0], origin)
    return tuple(folders)


def chosen_forecasts(
    pipeline: Pipeline, prepared: Prepared, judgement: Judgement
) -> ForecastTable | None:
    """Lay the chosen rung's test forecasts beside what came; None where no rung is chosen."""
    if judgement.chosen is None:
        return None
    origins, evaluation = prepared.split.test, judgement.chosen.climbed.evaluation
    return ForecastTable(
        series_ids=tuple(series.name for series in prepared.series),
        origins=origins,
        step_s=prepared.panel.step_s,
        actual=np.stack([series.targets(origins) for series in prepared.series]),
        forecast=evaluation.test,
        baseline=judgement.baseline.forecast,
        levels=pipeline.quantiles,
        quantiles=evaluation.test_quantiles,
    )


def _metrics(row: RungReport, report: RunReport) -> dict[str, object]:
    names = {"mae", "mae_ci", "rmse", "nmae", "mase", "skill", "skill_ci", "verdict"}
    if row.levels:
        names |= {
            "pinball", "npinball", "crps", "coverage", "coverage_ci", "coverage_nominal",
            "sharpness", "nsharpness",
        }  # fmt: skip
    return row.model_dump(mode="json", include=names) | {"origins": report.origins.test}


def _costs(row: RungReport, report: RunReport) -> dict[str, object]:
    context = report.context
    return {
        "training_energy_wh": row.energy_wh,
        "training_co2e_g": row.co2e_g,
        "co2e_g_per_1000_forecasts": row.co2e_g_per_1000,
        "fit_cpu_s": row.fit_cpu_s,
        "energy_method": context.energy_method,
        "energy_spread": context.energy_spread,
        "intensity_g_per_kwh": context.intensity_g_per_kwh,
        "country": context.country,
        "pue": context.pue,
        "hardware": context.hardware.label,
    }
