"""What the climbed rungs are worth: scores on test origins, choice and verdicts on validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from frugal_ai.accounts import RungCost
from frugal_ai.backtest.compare import (
    Interval,
    Resamples,
    draw_resamples,
    mean_error,
    mean_interval,
    skill_interval,
)
from frugal_ai.backtest.evaluate import Evaluation
from frugal_ai.backtest.leads import BandError, errors_by_lead, lead_bands
from frugal_ai.backtest.metrics import (
    OriginErrors,
    Score,
    denominators,
    mase_scale,
    origin_errors,
    score,
)
from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.probabilistic import QuantileScore, score_quantiles
from frugal_ai.backtest.score_intervals import error_intervals, quantile_intervals
from frugal_ai.bill.weigh import RungWork, Weight, weigh
from frugal_ai.cost.factors import Factors, load_factors
from frugal_ai.data.calendar import DAY_S
from frugal_ai.data.panel import FloatArray
from frugal_ai.errors import PipelineError
from frugal_ai.export.model import OnnxModel
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.ladder.rung import Rung
from frugal_ai.ladder.seasonal_naive import SeasonalNaive
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared
from frugal_ai.report import TuningReport
from frugal_ai.selection.candidate import Candidate
from frugal_ai.selection.choice import choose
from frugal_ai.selection.verdicts import Verdict, verdicts
from frugal_ai.wording import mass

_SEASONS = (timedelta(days=1), timedelta(days=7))


@dataclass(frozen=True)
class Climbed:
    """A rung that went through the backtest, with what it cost and how it is exported."""

    rung: Rung
    evaluation: Evaluation
    exported: tuple[OnnxModel, ...]  # S
    cost: RungCost
    ended: int  # [unix s]
    tuning: TuningReport | None = None

    @property
    def bytes(self) -> int:
        """Size of the exported graphs of all series."""
        return sum(len(model.content) for model in self.exported)


@dataclass(frozen=True)
class Judged:
    """What a rung is worth.

    Attributes
    ----------
    score, mae, skill
        On the test origins, the last two with intervals; skill against the better seasonal naive of
        day and week.
    quantiles
        Of the test origins; None where no levels are declared.
    validation_mae
        On the validation origins, which the choice was made on [unit of the series].
    verdict
        Was it worth it, on the validation origins?
    weight
        What it costs over the life of the pipeline's fleet, where that counts.
    by_lead
        Error on the test origins by how far ahead the target was.
    intervals
        Of the other errors on the test origins, by their names in a report.
    """

    climbed: Climbed
    score: Score
    mae: Interval
    skill: Interval
    quantiles: QuantileScore | None
    validation_mae: float
    verdict: Verdict
    weight: Weight | None = None
    by_lead: tuple[BandError, ...] = ()
    intervals: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """The seasonal naive that skill is against: its forecasts [S, O, H] and their errors."""

    forecast: FloatArray
    errors: OriginErrors


@dataclass(frozen=True)
class Judgement:
    """All rungs judged, in the order of the pipeline; which is chosen and why, or why none is."""

    rungs: tuple[Judged, ...]
    chosen: Judged | None
    reason: str
    baseline: Baseline

    @property
    def chosen_name(self) -> str | None:
        """Name of the chosen rung."""
        return self.chosen.climbed.rung.name if self.chosen else None


def judge(
    climbed: Sequence[Climbed],
    pipeline: Pipeline,
    prepared: Prepared,
    factors: Factors | None = None,
) -> Judgement:
    """Score, compare and choose.

    Parameters
    ----------
    climbed, pipeline, prepared
        The rungs, their task and its data.
    factors
        That a fleet is priced with; by default those of the package.

    Raises
    ------
    DataError
        If the data do not allow a metric that the pipeline declares.
    CostError
        If a fleet cannot be priced.
    """
    split, rule = prepared.split, pipeline.selection
    actual = _targets(prepared, split.test)
    seen = _targets(prepared, split.validation)
    weights = _weights(climbed, pipeline, factors)
    candidates = [
        _candidate(one, seen, pipeline, weight)
        for one, weight in zip(climbed, weights, strict=True)
    ]
    draws = _resamples(split.validation, pipeline)
    name, reason = _choose(candidates, pipeline, draws)
    judged = verdicts(candidates, draws, rule.level)
    denominator = denominators(pipeline.metrics.nmae, actual, pipeline.metrics.capacity)
    first_test = prepared.panel.index(int(split.test[0]))
    scale = mase_scale(prepared.panel.values[:, :first_test], DAY_S // pipeline.step_s)
    baseline = seasonal_naive(prepared, split.test, actual)
    draws = _resamples(split.test, pipeline)
    errors = [origin_errors(one.evaluation.test, actual) for one in climbed]
    bands = lead_bands(pipeline.step_s, pipeline.steps)
    rungs = tuple(
        Judged(
            climbed=one,
            score=score(one.evaluation.test, actual, denominator, scale),
            mae=mean_interval(tested, draws, rule.level),
            skill=skill_interval(tested, baseline.errors, draws, rule.level),
            quantiles=_quantile_score(one, actual, denominator, pipeline, draws),
            validation_mae=candidate.mae,
            verdict=verdict,
            weight=weight,
            by_lead=errors_by_lead(one.evaluation.test, actual, bands, draws, rule.level),
            intervals=_intervals(one, actual, denominator, scale, pipeline, draws),
        )
        for one, tested, candidate, verdict, weight in zip(
            climbed, errors, candidates, judged, weights, strict=True
        )
    )
    chosen = next((one for one in rungs if one.climbed.rung.name == name), None)
    why = f"On {len(split.validation)} validation origins, {reason} {_counted(pipeline, weights)}"
    return Judgement(rungs, chosen, why, baseline)


def _intervals(
    one: Climbed,
    actual: FloatArray,
    denominator: FloatArray,
    scale: FloatArray,
    pipeline: Pipeline,
    draws: Resamples,
) -> dict[str, Interval]:
    tested, level = one.evaluation.test, pipeline.selection.level
    found = error_intervals(tested, actual, denominator, scale, draws, level)
    if pipeline.quantiles:
        quantiles, levels = one.evaluation.test_quantiles, pipeline.quantiles
        found |= quantile_intervals(quantiles, actual, levels, draws, level)
    return found


def _quantile_score(
    one: Climbed,
    actual: FloatArray,
    denominator: FloatArray,
    pipeline: Pipeline,
    draws: Resamples,
) -> QuantileScore | None:
    if not pipeline.quantiles:
        return None
    quantiles, level = one.evaluation.test_quantiles, pipeline.selection.level
    return score_quantiles(quantiles, actual, pipeline.quantiles, denominator, draws, level)


def _choose(
    candidates: Sequence[Candidate], pipeline: Pipeline, draws: Resamples
) -> tuple[str | None, str]:
    """Return the chosen rung and why; where no rung keeps the budget, none, and why not."""
    try:
        choice = choose(candidates, pipeline.selection, draws, pipeline.unit)
    except PipelineError as error:
        return None, str(error)
    return choice.rung, choice.reason


def seasonal_naive(prepared: Prepared, origins: IntArray, actual: FloatArray) -> Baseline:
    """Forecast with the better seasonal naive, of day and week, whatever is on the ladder.

    Parameters
    ----------
    origins, actual
        Origins [O] [unix s] and what was observed after them [S, O, H].
    """
    found = []
    for season in _SEASONS:
        rung = SeasonalNaive(season=season)
        forecast = []
        for series, grid in zip(prepared.series, prepared.grids, strict=True):
            graph = FeatureGraph(rung.blocks(), grid.raw)
            forecast.append(graph.transform(series.windows(origins, graph.reach))[:, :, 0])
        stacked = np.stack(forecast).astype(np.float64)
        found.append(Baseline(stacked, origin_errors(stacked, actual)))
    return min(found, key=lambda one: mean_error(one.errors))


def _targets(prepared: Prepared, origins: IntArray) -> FloatArray:
    return np.stack([series.targets(origins) for series in prepared.series])


def _weights(
    climbed: Sequence[Climbed], pipeline: Pipeline, factors: Factors | None
) -> list[Weight | None]:
    """Weigh the rungs under the fleet, where the life cycle counts."""
    fleet = pipeline.fleet
    if fleet is None or pipeline.carbon == "training":
        return [None] * len(climbed)
    known = factors or load_factors()
    return [weigh(_rung_work(one, pipeline), fleet, known) for one in climbed]


def _rung_work(one: Climbed, pipeline: Pipeline) -> RungWork:
    made = one.cost.training
    return RungWork(
        dynamic_j=made.energy_dynamic_j,
        idle_j=made.energy_idle_j,
        vcpu_h=made.wall_s * pipeline.cost.threads / 3600,
        cpu_s=one.cost.per_1000.cpu_s / 1000,
        size=one.bytes // len(one.exported),
        spread=one.cost.spread,
        country=pipeline.cost.country,
        pue=pipeline.cost.pue,
    )


def _counted(pipeline: Pipeline, weights: Sequence[Weight | None]) -> str:
    """Say which carbon was compared."""
    weight = weights[0] if weights else None
    if weight is None or pipeline.fleet is None:
        forecasts = pipeline.cost.forecasts * len(pipeline.series)
        return f"CO2e is that of training and {forecasts:,} forecasts."
    return (
        f"CO2e is what hangs on the rung over the life of {pipeline.fleet.label}: making, "
        f"retraining, pushing and asking it; {mass(weight.common_g)} more are there whatever the "
        f"rung."
    )


def _candidate(
    one: Climbed, seen: FloatArray, pipeline: Pipeline, weight: Weight | None
) -> Candidate:
    forecasts = pipeline.cost.forecasts * len(one.exported)  # of every series
    return Candidate(
        rung=one.rung.name,
        errors=origin_errors(one.evaluation.validation, seen),
        co2e_g=weight.dynamic_g if weight else one.cost.dynamic_g(forecasts),
        reported_g=weight.own_g if weight else one.cost.life_g(forecasts),
        co2e_spread=weight.spread if weight else one.cost.spread,
        energy_wh=one.cost.training.energy_wh,
        cpu_s=one.cost.training.cpu_s,
        bytes=one.bytes,
    )


def _resamples(origins: IntArray, pipeline: Pipeline) -> Resamples:
    return draw_resamples(origins, pipeline.selection.resamples, pipeline.seed)
