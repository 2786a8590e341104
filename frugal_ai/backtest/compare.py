"""How sure an error, or the difference of two, is: paired circular block bootstrap over origins.

All rungs are compared on the same resampled origins, so that what makes a day hard for all of them
cancels. Blocks of neighbouring origins keep the correlation from one day to the next (Politis and
Romano 1992, A circular block-resampling procedure for stationary data).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from frugal_ai.backtest.metrics import FloatArray, IntArray, OriginErrors
from frugal_ai.data.calendar import DAY_S, WEEK_S
from frugal_ai.errors import DataError

MIN_ORIGINS = 8
"""With fewer scored origins an interval cannot be told, and is given as (-inf, inf)."""

Transform = Callable[[FloatArray], FloatArray]

_CHUNK = 256  # resamples weighted at a time, so that hourly origins of years fit into memory


@dataclass(frozen=True)
class Interval:
    """A value and the interval that holds it with the level asked for."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there were enough origins to tell the interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def bounds(self) -> list[float] | None:
        """`[low, high]` for JSON, None where they are not known."""
        return [self.low, self.high] if self.known else None


@dataclass(frozen=True)
class Resamples:
    """Origins drawn anew, in blocks; one set serves every rung of a comparison."""

    indices: npt.NDArray[np.int32]  # [R, O]
    block: int  # [origins]

    @property
    def n_origins(self) -> int:
        """Number of origins O."""
        return int(self.indices.shape[1])


def default_block(n_origins: int, every_s: int) -> int:
    """Return the block that holds a week of origins, at least 1 and at most half of them.

    Parameters
    ----------
    n_origins
        Number of origins.
    every_s
        Time from one origin to the next [s].
    """
    return max(1, min(round(WEEK_S / every_s), n_origins // 2))


def bootstrap_indices(
    n_origins: int, n_resamples: int, block: int, seed: int
) -> npt.NDArray[np.int32]:
    """Draw origins with replacement, in circular blocks.

    Parameters
    ----------
    n_origins, n_resamples
        O and R.
    block
        Length of a block [origins], between 1 and O.
    seed
        The same seed draws the same origins.

    Returns
    -------
    npt.NDArray[np.int32]
        [R, O].

    Raises
    ------
    DataError
        When there is nothing to draw from, or the block does not fit.
    """
    if n_origins < 1 or n_resamples < 1:
        got = f"{n_origins} origins and {n_resamples} resamples"
        raise DataError(f"bootstrap: expected at least one of each, got {got}")
    if not 1 <= block <= n_origins:
        raise DataError(f"bootstrap: expected a block of 1 to {n_origins} origins, got {block}")
    n_blocks = -(-n_origins // block)
    starts = np.random.default_rng(seed).integers(n_origins, size=(n_resamples, n_blocks, 1))
    drawn = (starts + np.arange(block)) % n_origins
    return drawn.reshape(n_resamples, -1)[:, :n_origins].astype(np.int32)


def resample_origins(n_origins: int, n_resamples: int, block: int, seed: int) -> Resamples:
    """Draw the resamples that all rungs of a comparison share; see `bootstrap_indices`."""
    return Resamples(bootstrap_indices(n_origins, n_resamples, block, seed), block)


def draw_resamples(origins: IntArray, n_resamples: int, seed: int) -> Resamples:
    """Draw resamples of origins [O] [unix s] in blocks of a week; see `bootstrap_indices`."""
    every = int(np.median(np.diff(origins))) if len(origins) > 1 else DAY_S
    block = default_block(len(origins), every)
    return resample_origins(len(origins), n_resamples, block, seed)


def mean_error(errors: OriginErrors) -> float:
    """Mean absolute error, averaged over series; what `metrics.mae` gives [unit of the target]."""
    every_origin_once = np.ones((1, errors.count.shape[1]))
    return float(_weighted_means(errors, every_origin_once)[0])


def mean_interval(errors: OriginErrors, resamples: Resamples, level: float = 0.95) -> Interval:
    """Mean absolute error with its interval [unit of the target].

    Raises
    ------
    DataError
        When nothing is scored, or the resamples are of another number of origins.
    """
    return mean_intervals([errors], resamples, level)[0]


def mean_intervals(
    errors: Sequence[OriginErrors], resamples: Resamples, level: float = 0.95
) -> list[Interval]:
    """Return `mean_interval` of each; origins are drawn once for all."""
    values = [_known_mean(one) for one in errors]
    draws = _resampled(errors, resamples)
    return [
        _at_least_0(_interval(value, drawn, one, resamples, level))
        for value, drawn, one in zip(values, draws, errors, strict=True)
    ]


def root_mean_interval(
    squares: OriginErrors, resamples: Resamples, level: float = 0.95
) -> Interval:
    """Root mean squared error, averaged over series, with its interval [unit of the target].

    Parameters
    ----------
    squares
        Mean squared error of each origin [unit of the target, squared].

    Raises
    ------
    DataError
        As `mean_interval`.
    """
    every_origin_once = np.ones((1, squares.count.shape[1]))
    value = float(_weighted_means(squares, every_origin_once, np.sqrt)[0])
    drawn = _resampled([squares], resamples, np.sqrt)[0]
    return _at_least_0(_interval(value, drawn, squares, resamples, level))


def _at_least_0(interval: Interval) -> Interval:
    return replace(interval, low=max(interval.low, 0.0)) if interval.known else interval


def difference_interval(
    a: OriginErrors, b: OriginErrors, resamples: Resamples, level: float = 0.95
) -> Interval:
    """Relative gain of b over a, 1 - MAE of b / MAE of a [1], with its interval.

    Parameters
    ----------
    a, b
        Errors on the same origins and targets.
    resamples
        Shared by all comparisons of a ladder.
    level
        Share of such intervals that hold the true value.

    Returns
    -------
    Interval
        Above 0 where b has the smaller error, at most 1. Against an `a` without any error, 0 when b
        has none either, else -inf.

    Raises
    ------
    DataError
        When the two were not scored on the same targets, or nothing is scored.

    Notes
    -----
    Percentiles of the resampled gains, their distance to the value stretched by
    t(k - 1) / z * sqrt(k / (k - 1)) with k = origins / block: the few blocks that a short test
    holds are few independent observations, and bare percentiles would be too narrow. On
    autoregressive errors (coefficient <= 0.5, 30 to 364 origins, blocks of 7) 95 % intervals held
    the true mean in 93 to 97 % of simulations; less where errors correlate beyond a block.
    """
    if a.count.shape != b.count.shape or not np.array_equal(a.count, b.count):
        raise DataError("comparison: expected two rungs scored on the same targets")
    value = float(_gain(np.array(_known_mean(a)), np.array(_known_mean(b))))
    gains = _gain(_resampled_means(a, resamples), _resampled_means(b, resamples))
    interval = _interval(value, gains, a, resamples, level)
    return Interval(
        value, interval.low, min(interval.high, 1.0) if interval.known else interval.high
    )


def skill_interval(
    errors: OriginErrors, baseline: OriginErrors, resamples: Resamples, level: float = 0.95
) -> Interval:
    """Skill score against the baseline, 1 - MAE / MAE of the baseline [1], with its interval.

    Raises
    ------
    DataError
        As `difference_interval`, and when the baseline has no error at all.
    """
    if not _known_mean(baseline) > 0:
        raise DataError("skill: expected a baseline with an error above 0, got 0")
    return difference_interval(baseline, errors, resamples, level)


def retained_interval(
    student: OriginErrors,
    teacher: OriginErrors,
    baseline: OriginErrors,
    resamples: Resamples,
    level: float = 0.95,
) -> Interval:
    """Share of a teacher's skill that a student keeps, skill / skill [1], with its interval.

    All three are scored on the same targets, and every resample draws the same origins for all.

    Raises
    ------
    DataError
        When they are not, nothing is scored, or the teacher has no skill to keep.
    """
    for other in (teacher, baseline):
        if not np.array_equal(student.count, other.count):
            raise DataError("comparison: expected models scored on the same targets")
    means = [_known_mean(errors) for errors in (student, teacher, baseline)]
    if not means[2] > means[1]:
        raise DataError(
            f"comparison: expected a teacher with less error than the baseline, got {means[1]:.4g} "
            f"against {means[2]:.4g}"
        )
    value = (means[2] - means[0]) / (means[2] - means[1])
    one, two, three = (_resampled_means(e, resamples) for e in (student, teacher, baseline))
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = (three - one) / np.where(three > two, three - two, np.nan)
    return _interval(value, draws, student, resamples, level)


def _gain(a: FloatArray, b: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(a == b, 1.0, b / a)  # two rungs without any error are equal
    return np.asarray(1.0 - np.where(np.isnan(a), np.nan, ratio))


def _known_mean(errors: OriginErrors) -> float:
    value = mean_error(errors)
    if not math.isfinite(value):
        raise DataError(f"comparison: expected a finite mean absolute error, got {value}")
    return value


def _resampled_means(errors: OriginErrors, resamples: Resamples) -> FloatArray:
    """MAE of each resample [R], NaN where it drew no scored origin."""
    return _resampled([errors], resamples)[0]


def _resampled(
    errors: Sequence[OriginErrors], resamples: Resamples, of: Transform = np.asarray
) -> list[FloatArray]:
    for one in errors:
        n_origins = one.count.shape[1]
        if n_origins != resamples.n_origins:
            raise DataError(
                f"comparison: expected resamples of {n_origins} origins, got {resamples.n_origins}"
            )
    chunks = [[_weighted_means(one, drawn, of) for one in errors] for drawn in _weights(resamples)]
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def _weights(resamples: Resamples) -> Iterator[FloatArray]:
    """How often each resample drew each origin, [r, O] for some resamples at a time."""
    n_origins = resamples.n_origins
    for first in range(0, len(resamples.indices), _CHUNK):
        drawn = resamples.indices[first : first + _CHUNK].astype(np.int64)
        cells = drawn + n_origins * np.arange(len(drawn))[:, None]
        counts = np.bincount(cells.ravel(), minlength=drawn.size)
        yield counts.reshape(drawn.shape).astype(np.float64)


def _weighted_means(
    errors: OriginErrors, weights: FloatArray, of: Transform = np.asarray
) -> FloatArray:
    """Return the MAE under each row of weights [R, O], averaged over the series it scores; [R].

    `of` is applied to the mean of each series before.
    """
    total = weights @ errors.total.T  # [R, S]
    count = weights @ errors.count.T.astype(np.float64)  # [R, S]
    scored = count > 0
    by_series = np.where(scored, of(total / np.where(scored, count, 1.0)), 0.0)
    n_series = scored.sum(axis=1)
    return np.where(n_series > 0, by_series.sum(axis=1) / np.maximum(n_series, 1), np.nan)


def _interval(
    value: float, draws: FloatArray, errors: OriginErrors, resamples: Resamples, level: float
) -> Interval:
    n_scored = int((errors.count.sum(axis=0) > 0).sum())
    if n_scored < MIN_ORIGINS or resamples.n_origins < 2 * resamples.block:
        return Interval(value, -math.inf, math.inf)
    tail = (1 - level) / 2
    # an order statistic: between finite and infinite draws there is nothing to interpolate
    low, high = np.nanquantile(draws, [tail, 1 - tail], method="inverted_cdf").tolist()
    stretch = _stretch(n_scored / resamples.block, level)
    return Interval(
        value,
        value - stretch * (value - low) if value > low > -math.inf else min(low, value),
        value + stretch * (high - value) if value < high < math.inf else max(high, value),
    )


def _stretch(n_blocks: float, level: float) -> float:
    """Widening for few blocks: Student's instead of the normal quantile, unbiased variance."""
    upper = (1 + level) / 2
    freedom = max(n_blocks - 1, 1.0)
    from scipy.special import stdtrit  # 0.2 s to import, and a pipeline is read without it

    student = float(stdtrit(freedom, upper))
    return student / NormalDist().inv_cdf(upper) * math.sqrt((freedom + 1) / freedom)
