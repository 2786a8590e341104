"""What a run leaves behind: its report, and the forecasts of the chosen rung."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from frugal_ai.backtest.compare import Interval
from frugal_ai.backtest.leads import BandError
from frugal_ai.backtest.probabilistic import QuantileScore
from frugal_ai.cost.context import CostContext
from frugal_ai.judge import Judged, Judgement
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared
from frugal_ai.provenance import git_revision, versions
from frugal_ai.report import (
    ContextReport,
    HardwareReport,
    LeadReport,
    LevelReport,
    NotRun,
    OriginsReport,
    RungReport,
    RunReport,
)
from frugal_ai.report.compression import CompressionReport
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
    compression: CompressionReport | None = None,
    replacements: Mapping[str, Path] = MappingProxyType({}),
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
    compression
        What became of the chosen rung; None where it was not compressed.
    replacements
        Files that were read instead of those in the pipeline, by name.
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
        **_forecast(pipeline, prepared),
        recalibrated=pipeline.recalibrates,
        started=_utc(started),
        ended=_utc(int(time.time())),
        status=status,
        rule=_rule(pipeline),
        timezone=pipeline.timezone,
        seed=pipeline.seed,
        context=_context(pipeline, context),
        origins=OriginsReport(
            validation=len(prepared.split.validation), test=len(prepared.split.test)
        ),
        chosen=finished.chosen_name if finished else None,
        reason=finished.reason if finished else "",
        rungs=tuple(_rung(one, chosen=one is chosen) for one in judged),
        not_run=tuple(not_run),
        compression=compression,
        **_sources(path, prepared, replacements),
    )


def _forecast(pipeline: Pipeline, prepared: Prepared) -> dict[str, Any]:
    """Return what is forecast, how far, and from what kind of data."""
    return {
        "series": tuple(series.name for series in prepared.series),
        "step_s": prepared.panel.step_s,
        "horizon_s": int(pipeline.horizon.total_seconds()),
        "simulated": prepared.panel.simulated,
        "weather": pipeline.covariates.weather(prepared.panel.vintages),
    }


def _sources(path: Path, prepared: Prepared, replacements: Mapping[str, Path]) -> dict[str, Any]:
    """Return what the run was made of: code, libraries, declaration, data."""
    return {
        "git_revision": git_revision(path.parent),
        "versions": versions(),
        "pipeline_file": str(path.resolve()),
        "pipeline_yaml": path.read_text(encoding="utf-8"),
        "replacements": {name: str(file.resolve()) for name, file in replacements.items()},
        "data_digest": prepared.panel.digest(),
        "targets_digest": _targets_digest(prepared),
    }


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
        fleet=_fleet(pipeline),
        fleet_years=pipeline.fleet.years if pipeline.fleet else None,
    )


def _fleet(pipeline: Pipeline) -> str | None:
    if pipeline.fleet is None or pipeline.carbon == "training":
        return None
    return f"{pipeline.fleet.label} {pipeline.fleet.digest}"


def _rule(pipeline: Pipeline) -> Literal["least_carbon", "budget", "price"]:
    if pipeline.selection.budget is not None:
        return "budget"
    return "least_carbon" if pipeline.selection.price is None else "price"


def _rung(judged: Judged, *, chosen: bool) -> RungReport:
    one, verdict, scored = judged.climbed, judged.verdict, judged.score
    ends: dict[str, Any] = {f"{name}_ci": _bounds(it) for name, it in judged.intervals.items()}
    return RungReport(
        rung=one.rung.name,
        family=one.rung.family,
        params=one.rung.model_dump(mode="json"),
        mae=scored.mae,
        rmse=scored.rmse,
        nmae=scored.nmae,
        mase=scored.mase,
        mae_ci=_bounds(judged.mae),
        **ends,
        mae_by_lead=tuple(map(_lead, judged.by_lead)),
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
        life_cycle_g=judged.weight.own_g if judged.weight else None,
        co2e_spread=one.cost.spread,
        bytes=one.bytes,
        latency_us=one.cost.latency_us,
        verdict=verdict.verdict,
        chosen=chosen,
        tuning=one.tuning,
        ended=_utc(one.ended),
    )


def _lead(found: BandError) -> LeadReport:
    return LeadReport(
        from_s=found.band.from_s,
        to_s=found.band.to_s,
        mae=found.mae.value,
        mae_ci=_bounds(found.mae),
        points=found.points,
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
