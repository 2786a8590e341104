"""Features that a model does not need, taken out of the model and of the graph that computes them.

Nothing that is forecast changes. History, look-back and covariates shrink to what is still read.
"""

from dataclasses import replace

import numpy as np

from frugal_ai.backtest.evaluate import SeriesModel
from frugal_ai.features.columns.fixed import Fixed
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.ladder._levels import FittedLevels
from frugal_ai.ladder._linear import LinearModel
from frugal_ai.ladder.residual_boosting import LinearAndTrees
from frugal_ai.ladder.rung import BoolArray, Fitted, FittedSparing, IntArray


def columns_read(fitted: object) -> BoolArray | None:
    """Say which features a fitted model reads [F]; None where it cannot say."""
    return fitted.reads if isinstance(fitted, FittedSparing) else None


def narrowed(graph: FeatureGraph, columns: BoolArray | IntArray) -> FeatureGraph:
    """Return a graph of some features.

    Parameters
    ----------
    columns
        Whether each is kept [F], or the indices of those that are, ascending [K].
    """
    kept = np.flatnonzero(columns) if columns.dtype == np.bool_ else columns
    return graph.only(kept.tolist())


def without_idle_columns(model: SeriesModel) -> SeriesModel:
    """Return a model that forecasts the same, without the features that it does not read.

    A feature that is the same for every origin, such as the lead time, becomes a part of the bias
    of a linear model. The columns of a plant and of the clocks stay; they come last.

    Returns
    -------
    SeriesModel
        The same where every feature is read, or where the model cannot say.
    """
    forecaster, graph = model.forecaster, model.graph
    fitted = _settled(forecaster.fitted, graph)
    read = columns_read(fitted)
    if read is None or read.all() or not isinstance(fitted, FittedSparing):
        return model
    if not read.any():
        read[0] = True  # a graph of no features has nothing to tell the number of origins by
    others = np.ones(len(graph.columns) - len(read), np.bool_)
    return replace(
        model,
        graph=narrowed(graph, np.concatenate([read, others])),
        forecaster=replace(forecaster, fitted=fitted.kept(np.flatnonzero(read))),
    )


def _settled(fitted: Fitted, graph: FeatureGraph) -> Fitted:
    """Take features that are the same for every origin out of linear models."""
    if isinstance(fitted, FittedLevels):
        median, *levels = (_settled(one, graph) for one in (fitted.median, *fitted.levels))
        return FittedLevels(median, tuple(levels))
    if isinstance(fitted, LinearAndTrees):
        linear = _settled(fitted.linear, graph)
        return replace(fitted, linear=linear) if isinstance(linear, LinearModel) else fitted
    if not isinstance(fitted, LinearModel):
        return fitted
    for index, column in enumerate(graph.expressions[: len(fitted.mean)]):
        if isinstance(column, Fixed):
            values = np.broadcast_to(column.numbers(graph.grid), len(fitted.bias))
            # as the graph computes them
            fitted = fitted.settled(index, values.astype(np.float32).astype(np.float64))
    return fitted
