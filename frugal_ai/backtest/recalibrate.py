"""Test origins one after the other, as a gateway lives them: forecasts teach the next ones."""

import numpy as np
from frugal_edge.drift import Drift

from frugal_ai.backtest.forecaster import Forecasts, SeriesForecaster
from frugal_ai.backtest.origins import IntArray
from frugal_ai.ladder.rung import Float32Array, FloatArray


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
    origins
        Ascending [O] [unix s].
    actual
        What came [O, H], NaN where nothing was observed. A forecast learns from the forecasts whose
        last interval has ended by its origin, and from no others.
    step_s
        Length of an interval [s].

    Returns
    -------
    tuple[Forecasts, Float32Array]
        The forecasts, and the drift that each was given [O, H, Q].
    """
    plain = forecaster.plain(features)
    horizon, levels = actual.shape[1], forecaster.levels
    given = np.zeros((len(origins), horizon, len(levels) if forecaster.drifts else 0), np.float32)
    if not forecaster.drifts:
        return forecaster.finish(plain, features), given
    drift, learnt = Drift.none(levels, step_s), 0
    points, quantiles = np.empty(actual.shape), np.empty((*actual.shape, len(levels)))
    for o, origin in enumerate(origins.tolist()):
        while origins[learnt] + horizon * step_s <= origin:
            drift = drift.learn(int(origins[learnt]), quantiles[learnt], actual[learnt])
            learnt += 1
        given[o] = drift.ahead(origin, horizon)
        one = slice(o, o + 1)
        found = forecaster.finish(plain.rows(one), features[one], given[one])
        points[o], quantiles[o] = found.point[0], found.quantiles[0]
    return Forecasts(points, quantiles), given
