"""Test origins one after the other, as a gateway lives them: forecasts teach the next ones."""

from collections.abc import Callable

import numpy as np
from frugal_edge.drift import Drift

from frugal_ai.backtest.forecaster import Forecasts, SeriesForecaster
from frugal_ai.backtest.origins import IntArray
from frugal_ai.ladder.rung import Float32Array, FloatArray

OneForecast = Callable[[slice, Float32Array], Forecasts]
"""Forecasts the one origin of a slice with a drift [1, H, Q]."""


def follow(
    forecaster: SeriesForecaster,
    features: Float32Array,
    origins: IntArray,
    actual: FloatArray,
    step_s: int,
) -> tuple[Forecasts, Float32Array]:
    """Forecast origins in turn, with quantiles that drift with what has arrived by each of them.

    Parameters
    ----------
    features
        Of the origins [O, H, F].
    origins, actual, step_s
        As for `walk`.

    Returns
    -------
    tuple[Forecasts, Float32Array]
        The forecasts, and the drift that each was given [O, H, Q]; Q is 0 without drift.
    """
    plain = forecaster.plain(features)
    if not forecaster.drifts:
        none = np.zeros((*actual.shape, 0), np.float32)
        return forecaster.finish(plain, features), none

    def one(row: slice, drift: Float32Array) -> Forecasts:
        return forecaster.finish(plain.rows(row), features[row], drift)

    return walk(one, origins, actual, forecaster.levels, step_s)


def walk(
    one: OneForecast,
    origins: IntArray,
    actual: FloatArray,
    levels: tuple[float, ...],
    step_s: int,
) -> tuple[Forecasts, Float32Array]:
    """Forecast origin after origin, and learn from each forecast when it is over.

    Parameters
    ----------
    origins
        Ascending [O] [unix s].
    actual
        What came [O, H], NaN where nothing was observed. A forecast learns from the forecasts whose
        last interval has ended by its origin, and from no others.
    levels
        Of the quantiles, ascending, Q of them.
    step_s
        Length of an interval [s].

    Returns
    -------
    tuple[Forecasts, Float32Array]
        The forecasts, and the drift that each was given [O, H, Q].
    """
    horizon = actual.shape[1]
    given = np.zeros((*actual.shape, len(levels)), np.float32)
    points, quantiles = np.empty(actual.shape), np.empty(given.shape)
    drift, learnt = Drift.none(levels, step_s), 0
    for o, origin in enumerate(origins.tolist()):
        while origins[learnt] + horizon * step_s <= origin:
            drift = drift.learn(int(origins[learnt]), quantiles[learnt], actual[learnt])
            learnt += 1
        given[o] = drift.ahead(origin, horizon)
        row = slice(o, o + 1)
        found = one(row, given[row])
        points[o], quantiles[o] = found.point[0], found.quantiles[0]
    return Forecasts(points, quantiles), given
