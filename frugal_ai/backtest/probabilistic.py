"""What quantile forecasts are worth: sharpness subject to calibration.

Every function takes `quantiles` as [S, O, H, Q] (series, origins, horizon, levels), `actual` as
[S, O, H] and ascending `levels` [Q]. A missing actual (NaN) is never scored. A figure is computed
per series and then averaged over the series, as in `frugal_ai.backtest.metrics`.

Gneiting, Balabdaoui and Raftery (2007), Probabilistic forecasts, calibration and sharpness.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from frugal_ai.backtest.compare import Interval, Resamples, mean_interval
from frugal_ai.backtest.metrics import (
    FloatArray,
    OriginErrors,
    deviations,
    mean_over,
    refuse_scale,
)
from frugal_ai.errors import DataError


@dataclass(frozen=True)
class LevelScore:
    """One quantile: its level, its pinball loss, and how many observations it was not below."""

    level: float
    pinball: float  # [unit of the target]
    share: float  # [1], of the level where the quantile is calibrated


@dataclass(frozen=True)
class QuantileScore:
    """What a rung's quantiles are worth, averaged over series.

    Attributes
    ----------
    pinball, npinball
        Mean over levels [unit of the target], and over the named denominator [1].
    crps
        [unit of the target].
    nominal, coverage
        Of the central interval [1]; None where no two levels are symmetric.
    sharpness, nsharpness
        Mean width of that interval [unit of the target], and over the named denominator [1].
    by_level
        Q of them.
    """

    pinball: float
    npinball: float
    crps: float
    nominal: float | None
    coverage: Interval | None
    sharpness: float | None
    nsharpness: float | None
    by_level: tuple[LevelScore, ...]


def score_quantiles(
    quantiles: FloatArray,
    actual: FloatArray,
    levels: Sequence[float],
    denominator: FloatArray,
    resamples: Resamples,
    interval_level: float = 0.95,
) -> QuantileScore:
    """Compute all figures at once; see each for its definition.

    Parameters
    ----------
    denominator
        Of each series [S] [unit of the target], that of nMAE.
    resamples, interval_level
        Of the bootstrap over origins that the interval of the coverage is from, and its level.
    """
    losses = pinball_losses(quantiles, actual, levels)  # [S, Q]
    refuse_scale(denominator, len(losses), "pinball loss")
    by_series = losses.mean(axis=1)
    shares = shares_below(quantiles, actual)
    pair = central_pair(levels)
    width = None if pair is None else widths(quantiles, actual, pair)  # [S]
    return QuantileScore(
        pinball=float(by_series.mean()),
        npinball=float((by_series / denominator).mean()),
        crps=crps(quantiles, actual, levels),
        nominal=None if pair is None else round(levels[pair[1]] - levels[pair[0]], 9),
        coverage=None
        if pair is None
        else coverage_interval(quantiles, actual, pair, resamples, interval_level),
        sharpness=None if width is None else float(width.mean()),
        nsharpness=None if width is None else float((width / denominator).mean()),
        by_level=tuple(
            LevelScore(level, float(loss), float(share))
            for level, loss, share in zip(levels, losses.mean(axis=0), shares, strict=True)
        ),
    )


def pinball_losses(
    quantiles: FloatArray, actual: FloatArray, levels: Sequence[float]
) -> FloatArray:
    """Pinball loss by series and level [S, Q] [unit of the target], not doubled.

    ``max(level * (y - q), (level - 1) * (y - q))``; Koenker and Bassett (1978), Regression
    quantiles.

    Raises
    ------
    DataError
        When shapes and levels do not fit, or as `metrics.deviations`.
    """
    _check(quantiles, levels)
    over = np.stack([-deviations(quantiles[..., q], actual) for q in range(len(levels))], axis=-1)
    level = np.asarray(levels)
    return _per_series(np.maximum(level * over, (level - 1) * over))


def pinball(quantiles: FloatArray, actual: FloatArray, levels: Sequence[float]) -> float:
    """Pinball loss, mean over levels and series [unit of the target]."""
    return float(pinball_losses(quantiles, actual, levels).mean())


def crps(quantiles: FloatArray, actual: FloatArray, levels: Sequence[float]) -> float:
    """Continuous ranked probability score, twice the integral of the pinball loss over the level.

    The integral is by trapezoids; beyond the outermost levels the loss is taken as it is there, so
    that with few levels the score is an approximation. Laio and Tamea (2007), Verification tools
    for probabilistic forecasts of continuous hydrological variables; Gneiting and Raftery (2007),
    Strictly proper scoring rules, prediction, and estimation.

    Returns
    -------
    float
        Averaged over series [unit of the target].
    """
    losses = pinball_losses(quantiles, actual, levels).mean(axis=0)  # [Q]
    return float(2 * losses @ crps_weights(levels))


def crps_weights(levels: Sequence[float]) -> FloatArray:
    """Return the share of all levels that each stands for in `crps` [Q]."""
    middles = (np.asarray(levels)[1:] + np.asarray(levels)[:-1]) / 2
    return np.asarray(np.diff(middles, prepend=0.0, append=1.0))


def central_pair(levels: Sequence[float]) -> tuple[int, int] | None:
    """Find the outermost two levels that leave out the same on both sides, if there are any."""
    for low, level in enumerate(levels):
        for high in range(len(levels) - 1, low, -1):
            if math.isclose(level + levels[high], 1.0, abs_tol=1e-9):
                return low, high
    return None


def covered(quantiles: FloatArray, actual: FloatArray, pair: tuple[int, int]) -> OriginErrors:
    """Share of observations inside an interval, its ends included, by series and origin [1].

    Where both ends are equal and the observation equals them, as with a PV plant at night, nothing
    is uncertain: such targets are left out, since an interval of any level would hold them.
    """
    low, high = quantiles[..., pair[0]], quantiles[..., pair[1]]
    scored = uncertain(low, high, actual)
    inside = np.where(scored, ((low <= actual) & (actual <= high)).astype(np.float64), np.nan)
    return OriginErrors(mean=mean_over(inside, axis=2), count=scored.sum(axis=2))


def coverage_interval(
    quantiles: FloatArray,
    actual: FloatArray,
    pair: tuple[int, int],
    resamples: Resamples,
    level: float = 0.95,
) -> Interval | None:
    """Coverage of the interval between two levels [1], with its interval over origins.

    None where every target is certain; see `covered`.
    """
    shares = covered(quantiles, actual, pair)
    if not shares.count.any():
        return None
    found = mean_interval(shares, resamples, level)
    return Interval(found.value, found.low, min(found.high, 1.0)) if found.known else found


def widths(quantiles: FloatArray, actual: FloatArray, pair: tuple[int, int]) -> FloatArray:
    """Mean width of an interval over the scored targets of each series [S] [unit of the target]."""
    width = np.where(np.isnan(actual), np.nan, quantiles[..., pair[1]] - quantiles[..., pair[0]])
    return mean_over(width.reshape(len(width), -1), axis=1)


def shares_below(quantiles: FloatArray, actual: FloatArray) -> FloatArray:
    """Share of observations that each quantile was not below, averaged over series [Q] [1].

    Targets without any uncertainty are left out, as in `covered`; NaN where all are.
    """
    scored = uncertain(quantiles[..., 0], quantiles[..., -1], actual)[..., None]
    below = (actual[..., None] <= quantiles).astype(np.float64)
    by_series = _per_series(np.where(scored, below, np.nan))  # [S, Q]
    return mean_over(by_series, axis=0)


def uncertain(low: FloatArray, high: FloatArray, actual: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell the targets that are scored and not certain; see `covered`."""
    certain = (low == high) & (actual == low)
    return np.asarray(~np.isnan(actual) & ~certain)


def _per_series(values: FloatArray) -> FloatArray:
    """Mean of [S, O, H, Q] over what is not NaN of each series and level, [S, Q]."""
    return mean_over(values.reshape(len(values), -1, values.shape[-1]), axis=1)


def _check(quantiles: FloatArray, levels: Sequence[float]) -> None:
    if quantiles.ndim != 4 or quantiles.shape[3] != len(levels) or not len(levels):
        raise DataError(
            f"scoring: expected quantiles [series, origins, horizon, levels] at {len(levels)} "
            f"levels, one or more, got {list(quantiles.shape)}"
        )
    crossing = np.argwhere(np.diff(quantiles, axis=3) < 0)
    if len(crossing):
        s, o, h, _ = crossing[0]
        raise DataError(
            f"scoring: expected quantiles that do not cross, got some at series {s}, origin {o}, "
            f"step {h}"
        )
