"""Test origins forecast one after the other by a graph, as a gateway would."""

import numpy as np

from frugal_ai.backtest.forecaster import FORECAST, QUANTILES, Forecasts
from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.recalibrate import walk
from frugal_ai.export.model import OnnxModel
from frugal_ai.features.graph import Windows
from frugal_ai.ladder.rung import Float32Array, FloatArray


def replay(
    model: OnnxModel,
    windows: Windows,
    origins: IntArray,
    actual: FloatArray,
    levels: tuple[float, ...],
    step_s: int,
) -> tuple[Forecasts, Float32Array]:
    """Forecast origins in turn, with the drift that follows from what has arrived by each.

    Parameters
    ----------
    model, windows
        The graph and what it sees at each origin.
    origins, actual, levels, step_s
        As for `backtest.recalibrate.walk`.

    Returns
    -------
    tuple[Forecasts, Float32Array]
        The forecasts, and the drift that each was given [O, H, Q]; Q is 0 without drift.
    """
    run = model.opened()

    def forecasts(given: Windows, drift: Float32Array | None) -> Forecasts:
        found = run(given, drift)
        point = found[FORECAST].astype(np.float64)
        none = np.empty((*point.shape, 0))
        return Forecasts(point, found.get(QUANTILES, none).astype(np.float64))

    if model.drift_shape is None:
        return forecasts(windows, None), np.zeros((*actual.shape, 0), np.float32)

    def one(row: slice, drift: Float32Array) -> Forecasts:
        return forecasts(windows.rows(row), drift)

    return walk(one, origins, actual, levels, step_s)
