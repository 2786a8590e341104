"""Every system is scored by frugal-ai's own metrics, on the same resampled origins."""

from dataclasses import dataclass

from benchmarks.peers.exchange import Given
from benchmarks.peers.task import FloatArray
from frugal_ai.backtest.compare import (
    Interval,
    Resamples,
    difference_interval,
    draw_resamples,
    mean_error,
    mean_interval,
    skill_interval,
)
from frugal_ai.backtest.metrics import OriginErrors, denominators, nmae, origin_errors
from frugal_ai.backtest.probabilistic import score_quantiles


@dataclass(frozen=True)
class Scored:
    """What a system's forecasts are worth.

    Attributes
    ----------
    errors
        By origin, for comparisons; None for a rung whose forecasts a run does not keep.
    mae
        [unit of the series], with the 95 % interval.
    nmae, skill
        [1]; skill against the better seasonal naive.
    npinball, coverage
        Pinball loss over the denominator of nMAE and coverage of the interval of 80 % [1]; None
        where a system gives points alone.
    """

    errors: OriginErrors | None
    mae: Interval
    nmae: float
    skill: Interval
    npinball: float | None
    coverage: Interval | None


class Judge:
    """Scores the forecasts of one task.

    Parameters
    ----------
    given
        The task and what came.
    naive
        Forecasts of seasonal naives [S, O, H]; the better one is the baseline of the skill.

    Attributes
    ----------
    baseline
        Errors of that one.
    """

    def __init__(self, given: Given, naive: list[FloatArray]) -> None:
        pipeline = given.pipeline
        self._given = given
        self._denominator = denominators(
            pipeline.metrics.nmae, given.actual, pipeline.metrics.capacity
        )
        self._draws: Resamples = draw_resamples(
            given.task.origins, pipeline.selection.resamples, pipeline.seed
        )
        self.baseline = min(map(self._errors, naive), key=mean_error)

    def score(self, forecast: FloatArray, levels: tuple[float, ...], q: FloatArray) -> Scored:
        """Score points [S, O, H] and quantiles [S, O, H, Q] at `levels`, clipped to the limits."""
        actual, clip = self._given.actual, self._given.pipeline.limits.clip
        errors = self._errors(forecast)
        quantiles = (
            score_quantiles(clip(q), actual, levels, self._denominator, self._draws)
            if levels
            else None
        )
        return Scored(
            errors=errors,
            mae=mean_interval(errors, self._draws),
            nmae=nmae(clip(forecast), actual, self._denominator),
            skill=skill_interval(errors, self.baseline, self._draws),
            npinball=quantiles.npinball if quantiles else None,
            coverage=quantiles.coverage if quantiles else None,
        )

    def ratio(self, ours: Scored, theirs: Scored) -> Interval:
        """Return our error over theirs with the paired 95 % interval, below 1 where ours is less.

        Raises
        ------
        ValueError
            If the forecasts of one are not known.
        """
        if ours.errors is None or theirs.errors is None:
            raise ValueError("expected the errors of both systems")
        gain = difference_interval(theirs.errors, ours.errors, self._draws)
        return Interval(1 - gain.value, 1 - gain.high, 1 - gain.low)

    def _errors(self, forecast: FloatArray) -> OriginErrors:
        return origin_errors(self._given.pipeline.limits.clip(forecast), self._given.actual)
