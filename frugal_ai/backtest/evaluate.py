"""One rung through the backtest: chosen on validation origins, reported on test origins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Literal, Protocol, TypeVar

import numpy as np

from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.origins import IntArray, training_origins
from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import FloatArray
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import Grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Fitted, Rows, Rung

T = TypeVar("T")
NO_LIMITS = Limits()
Stage = Literal["features", "tuning", "training"]


class Measure(Protocol):
    """Runs a piece of work and books what it cost on a stage."""

    def __call__(self, stage: Stage, work: Callable[[], T]) -> T:
        """Return what the work returns."""
        ...


@dataclass(frozen=True)
class Split:
    """The periods of a backtest.

    Attributes
    ----------
    start
        Start of the training period [unix s].
    validation, test
        Origins [O] [unix s].
    at, timezone
        Local times at which training origins are placed.
    """

    start: int
    validation: IntArray
    test: IntArray
    at: tuple[time, ...]
    timezone: str


@dataclass(frozen=True)
class SeriesModel:
    """A fitted rung of one series and the graph of the features that it reads."""

    graph: FeatureGraph
    fitted: Fitted
    n_rows: int


@dataclass(frozen=True)
class Evaluation:
    """What a rung forecast, and the models that forecast the test origins."""

    validation: FloatArray  # [S, O, H]
    test: FloatArray  # [S, O, H]
    models: tuple[SeriesModel, ...]  # S


def evaluate(
    rung: Rung,
    recipe: Recipe,
    series: tuple[Series, ...],
    grids: tuple[Grid, ...],
    split: Split,
    seed: int,
    measure: Measure,
    limits: Limits = NO_LIMITS,
) -> Evaluation:
    """Fit a rung twice per series, before the validation and before the test origins, and forecast.

    No forecast leaves the ``limits``.

    Raises
    ------
    DataError, PipelineError, RungError
        If data, periods or settings do not support the rung.
    """
    validation, test, models = [], [], []
    for one, grid in zip(series, grids, strict=True):
        graph = FeatureGraph(rung.blocks(recipe), grid)
        plain = len(FeatureGraph(recipe.features, grid).columns)
        rows = measure("features", lambda: training_rows(one, graph, split, plain, seed))  # noqa: B023 - called at once
        seen = before(rows, int(split.validation[0]))
        trial = measure("tuning", lambda: rung.fit(seen))  # noqa: B023 - called at once
        validation.append(limits.keep(trial).predict(_features(one, graph, split.validation)))
        fitted = limits.keep(measure("training", lambda: rung.fit(rows)))  # noqa: B023 - called at once
        test.append(fitted.predict(_features(one, graph, split.test)))
        models.append(SeriesModel(graph, fitted, len(rows.origin) * one.horizon))
    return Evaluation(np.stack(validation), np.stack(test), tuple(models))


def _features(
    series: Series, graph: FeatureGraph, origins: IntArray
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    return graph.transform(series.windows(origins, graph.reach))


def training_origins_of(series: Series, graph: FeatureGraph, split: Split) -> IntArray:
    """List the training origins before the first test origin, [O] [unix s]."""
    step = series.panel.step_s
    reach = max(graph.reach.history, graph.reach.lookback, 1) * step
    return training_origins(
        split.start, int(split.test[0]), split.at, split.timezone, reach, series.horizon * step
    )


def training_rows(series: Series, graph: FeatureGraph, split: Split, plain: int, seed: int) -> Rows:
    """Compute the rows of every training origin before the first test origin."""
    origins = training_origins_of(series, graph, split)
    return Rows(
        features=_features(series, graph, origins),
        target=series.targets(origins),
        origin=origins,
        step_s=series.panel.step_s,
        plain=plain,
        seed=seed,
    )


def before(rows: Rows, end: int) -> Rows:
    """Keep the rows all of whose targets lie before an instant [unix s].

    Raises
    ------
    RungError
        If none are left.
    """
    horizon_s = rows.target.shape[1] * rows.step_s
    kept = rows.origin + horizon_s <= end
    return Rows(
        rows.features[kept],
        rows.target[kept],
        rows.origin[kept],
        rows.step_s,
        rows.plain,
        rows.seed,
    )
