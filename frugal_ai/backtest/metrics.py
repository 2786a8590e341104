"""Errors of point forecasts, as the field defines them.

Every function takes `forecast` and `actual` as [S, O, H] (series, origins, horizon). A missing
actual (NaN) is never scored. A metric is computed per series and then averaged over the series, so
that a series counts the same however many of its values are missing.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from frugal_ai.errors import DataError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Denominator = Literal["mean_abs", "capacity", "max"]


@dataclass(frozen=True)
class Score:
    """What a rung's forecasts are worth, averaged over series."""

    mae: float  # [unit of the target]
    rmse: float  # [unit of the target]
    nmae: float  # [1], of the named denominator
    mase: float  # [1], of the in-sample seasonal naive error
    bias: float  # [unit of the target], positive when forecasts are too high


@dataclass(frozen=True)
class OriginErrors:
    """Mean absolute error of each origin, and how many points it rests on."""

    mean: FloatArray  # [S, O] [unit of the target], NaN where nothing is scored
    count: IntArray  # [S, O]

    @property
    def total(self) -> FloatArray:
        """Sum of absolute errors of each origin, 0 where nothing is scored; [S, O]."""
        return np.where(self.count > 0, self.mean, 0.0) * self.count


def deviations(forecast: FloatArray, actual: FloatArray) -> FloatArray:
    """Return forecast - actual, NaN where the actual is missing.

    Parameters
    ----------
    forecast, actual
        [S, O, H] [unit of the target].

    Returns
    -------
    FloatArray
        [S, O, H] [unit of the target].

    Raises
    ------
    DataError
        When the shapes differ, an actual is infinite, a scored forecast is not finite, or a series
        has no actual at all.
    """
    if forecast.ndim != 3 or forecast.shape != actual.shape:
        shapes = f"forecast {list(forecast.shape)} and actual {list(actual.shape)}"
        raise DataError(f"scoring: expected two arrays [series, origins, horizon], got {shapes}")
    scored = ~np.isnan(actual)
    _refuse_first(np.isinf(actual), "a finite or missing actual, got infinity")
    _refuse_first(scored & ~np.isfinite(forecast), "a finite forecast, got NaN or infinity")
    empty = np.flatnonzero(~scored.any(axis=(1, 2)))
    if not scored.any():
        raise DataError(f"scoring: expected actual values, all {actual.size} are missing")
    if len(empty):
        raise DataError(f"scoring: expected actual values, all of series {empty[0]} are missing")
    return np.where(scored, forecast - actual, np.nan)


def mae(forecast: FloatArray, actual: FloatArray) -> float:
    """Mean absolute error, averaged over series [unit of the target]."""
    return float(_per_series(np.abs(deviations(forecast, actual))).mean())


def rmse(forecast: FloatArray, actual: FloatArray) -> float:
    """Root mean squared error, averaged over series [unit of the target]."""
    return float(np.sqrt(_per_series(deviations(forecast, actual) ** 2)).mean())


def bias(forecast: FloatArray, actual: FloatArray) -> float:
    """Mean of forecast - actual, averaged over series [unit of the target]."""
    return float(_per_series(deviations(forecast, actual)).mean())


def nmae(forecast: FloatArray, actual: FloatArray, denominator: FloatArray) -> float:
    """Mean absolute error of each series over its `denominator` [S], averaged over series [1]."""
    return _relative(forecast, actual, denominator, "nMAE")


def mase(forecast: FloatArray, actual: FloatArray, scale: FloatArray) -> float:
    """Mean absolute scaled error: MAE of each series over its `mase_scale` [S], averaged [1].

    Hyndman and Koehler (2006), Another look at measures of forecast accuracy, in its seasonal form.
    """
    return _relative(forecast, actual, scale, "MASE")


def score(
    forecast: FloatArray, actual: FloatArray, denominator: FloatArray, scale: FloatArray
) -> Score:
    """Compute all metrics at once; see each for its definition."""
    return Score(
        mae=mae(forecast, actual),
        rmse=rmse(forecast, actual),
        nmae=nmae(forecast, actual, denominator),
        mase=mase(forecast, actual, scale),
        bias=bias(forecast, actual),
    )


def denominators(
    name: Denominator, actual: FloatArray, capacity: float | FloatArray | None = None
) -> FloatArray:
    """Return what each series' MAE is divided by in nMAE.

    Parameters
    ----------
    name
        `mean_abs`: mean |actual| over the scored targets; `max`: the largest |actual| of them;
        `capacity`: the installed capacity given.
    actual
        [S, O, H] [unit of the target].
    capacity
        One for all series or one each [S] [unit of the target]; read for `capacity` only.

    Returns
    -------
    FloatArray
        [S] [unit of the target].

    Raises
    ------
    DataError
        When the denominator of a series is not positive, or the capacity is not given.
    """
    size = np.abs(deviations(np.zeros_like(actual), actual))
    if name == "capacity":
        if capacity is None:
            raise DataError("nMAE by capacity: expected the installed capacity, got none")
        given = np.asarray(capacity, dtype=np.float64)
        result = np.full(len(actual), given) if given.ndim == 0 else given
    elif name == "max":
        result = np.asarray(np.nanmax(size, axis=(1, 2)))
    else:
        result = _per_series(size)
    refuse_scale(result, len(actual), f"nMAE by {name}")
    return result


def mase_scale(history: FloatArray, season: int) -> FloatArray:
    """In-sample error of the seasonal naive forecast, mean |y[t] - y[t - season]|.

    Parameters
    ----------
    history
        [S, T] [unit of the target], the training period; a pair with a missing end is left out.
    season
        Length of the season [steps].

    Returns
    -------
    FloatArray
        [S] [unit of the target].

    Raises
    ------
    DataError
        When a series has no such pair, or repeats itself exactly, so that MASE has no meaning.
    """
    if not 1 <= season < history.shape[1]:
        steps = history.shape[1]
        raise DataError(f"MASE: expected a season between 1 and {steps - 1} steps, got {season}")
    change = np.abs(history[:, season:] - history[:, :-season])
    empty = np.flatnonzero(np.isnan(change).all(axis=1))
    if len(empty):
        raise DataError(f"MASE: series {empty[0]} has no two values {season} steps apart")
    scale = np.asarray(np.nanmean(change, axis=1))
    refuse_scale(scale, len(history), "MASE")
    return scale


def skill(error: float, baseline: float) -> float:
    """Skill score, 1 - error / error of the baseline; 1 is perfect, 0 as good as the baseline.

    Raises
    ------
    DataError
        When the baseline's error is not positive.
    """
    if not baseline > 0:
        raise DataError(f"skill: expected a baseline with an error above 0, got {baseline}")
    return 1.0 - error / baseline


def origin_errors(forecast: FloatArray, actual: FloatArray) -> OriginErrors:
    """Mean absolute error of each origin [S, O], with the number of its scored points."""
    absolute = np.abs(deviations(forecast, actual))
    return OriginErrors(mean=mean_over(absolute, axis=2), count=np.sum(~np.isnan(absolute), axis=2))


def mean_over(values: FloatArray, axis: int) -> FloatArray:
    """Mean over what is not NaN; NaN where all is."""
    there = ~np.isnan(values)
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _per_series(values: FloatArray) -> FloatArray:
    """Mean of [S, O, H] over the scored points of each series; [S]."""
    return mean_over(values.reshape(len(values), -1), axis=1)


def _relative(forecast: FloatArray, actual: FloatArray, scale: FloatArray, name: str) -> float:
    by_series = _per_series(np.abs(deviations(forecast, actual)))
    refuse_scale(scale, len(by_series), name)
    return float((by_series / scale).mean())


def refuse_scale(scale: FloatArray, n_series: int, name: str) -> None:
    """Refuse denominators [S] that are not one for each series, finite and above 0."""
    if scale.shape != (n_series,):
        got = list(scale.shape)
        raise DataError(f"{name}: expected one denominator per series [{n_series}], got {got}")
    bad = np.flatnonzero(~(np.isfinite(scale) & (scale > 0)))
    if len(bad):
        value = scale[bad[0]]
        raise DataError(f"{name}: expected a denominator above 0, got {value} for series {bad[0]}")


def _refuse_first(bad: npt.NDArray[np.bool_], expected: str) -> None:
    if bad.any():
        s, o, h = np.argwhere(bad)[0]
        raise DataError(f"scoring: expected {expected} at series {s}, origin {o}, step {h}")
