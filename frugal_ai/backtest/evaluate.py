"""One rung through the backtest: chosen on validation origins, reported on test origins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

import numpy as np

from frugal_ai.backtest.conformal import Calibrated, calibrate
from frugal_ai.backtest.forecaster import (
    Forecasts,
    OriginClocks,
    SeriesForecaster,
)
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.recalibrate import follow
from frugal_ai.backtest.split import BoolArray, Split, joined, training_rows, trials
from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import FloatArray
from frugal_ai.features.blocks.static import Static
from frugal_ai.features.graph import FeatureGraph, close_graphs
from frugal_ai.features.grid import Grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Fitted, Float32Array, Rows, Rung

T = TypeVar("T")
NO_LIMITS = Limits()
AS_IT_IS = Physical()
GRAPH_MADE = "making the graph of the features"
"""The note of what is done once for all series and data that a rung learns from."""
Stage = Literal["features", "tuning", "training"]


class Measure(Protocol):
    """Runs a piece of work and books what it cost on a stage."""

    def __call__(self, stage: Stage, work: Callable[[], T], *, note: str = "") -> T:
        """Return what the work returns; what has a note is done once, and not measured again."""
        ...


@dataclass(frozen=True)
class SeriesModel:
    """What forecasts one series, and the graph of the features that it reads."""

    graph: FeatureGraph
    forecaster: SeriesForecaster
    n_rows: int


@dataclass(frozen=True)
class Evaluation:
    """What a rung forecast, and the models that forecast the test origins.

    Quantiles are of the test origins alone: those of the validation origins are calibrated on them.
    They, and the forecast where it is their median, drift with what has arrived by each origin.
    """

    validation: FloatArray  # [S, O, H]
    test: FloatArray  # [S, O, H]
    test_quantiles: FloatArray  # [S, O, H, Q]
    test_drift: Float32Array  # [S, O, H, Q], that they were given; Q is 0 without drift
    models: tuple[SeriesModel, ...]  # S

    @property
    def test_forecasts(self) -> tuple[Forecasts, ...]:
        """The forecasts of the test origins, one for each series."""
        return tuple(map(Forecasts, self.test, self.test_quantiles))


@dataclass(frozen=True)
class Task:
    """What is forecast, from what, and how it is judged: all that rungs have in common.

    Attributes
    ----------
    recipe
        Features and basis.
    series, grids
        One for each series, S.
    split
        Origins.
    seed
        Of everything random.
    limits
        No forecast leaves them.
    levels
        Quantiles that are asked for, ascending.
    recalibrate
        Whether quantiles, two or more, drift with what arrives.
    physical
        What a plant can do; naive rungs, which repeat what was, do without.
    """

    recipe: Recipe
    series: tuple[Series, ...]
    grids: tuple[Grid, ...]
    split: Split
    seed: int
    limits: Limits = NO_LIMITS
    levels: tuple[float, ...] = ()
    physical: Physical = AS_IT_IS
    recalibrate: bool = True

    def clocks(self, index: int) -> OriginClocks:
        """Return the groups of origins of a series that calibration tells apart."""
        at = self.split.at
        return OriginClocks.of(at if self.levels else at[:1], self.grids[index].step_s)

    def seen_by(self, rung: Rung) -> "Task":
        """Return the task as a rung sees it.

        Naive ones see the target raw; those of a panel see it in common units; one series alone has
        no use for what tells it from others.
        """
        if rung.family == "naive":
            raw = tuple(grid.raw for grid in self.grids)
            return replace(self, grids=raw, physical=AS_IT_IS)
        if rung.scope == "series":
            alone = tuple(block for block in self.recipe.features if not isinstance(block, Static))
            return replace(self, recipe=self.recipe.model_copy(update={"features": alone}))
        if self.physical.unit:
            return self
        scaled = tuple(
            replace(grid, scale=_typical(one, self.split))
            for one, grid in zip(self.series, self.grids, strict=True)
        )
        return replace(self, grids=scaled, physical=replace(self.physical, unit=True))


def graph_of(rung: Rung, task: Task, index: int) -> FeatureGraph:
    """Return the features of a rung, with what plant and clocks add to them, of one series."""
    blocks = (*rung.blocks(task.recipe), *task.physical.blocks, *task.clocks(index).blocks)
    return FeatureGraph(blocks, task.grids[index])


def _typical(series: Series, split: Split) -> float:
    """Return the mean absolute value before the first validation origin, 1 where it is 0."""
    panel = series.panel
    seen = panel.values[series.index, : panel.index(int(split.validation[0]))]
    return float(np.nanmean(np.abs(seen))) or 1.0


def evaluate(rung: Rung, task: Task, measure: Measure) -> Evaluation:
    """Fit a rung twice, before the validation and before the test origins, and forecast.

    A rung of a panel learns from all series at once, another from each on its own. Quantiles are
    calibrated on the validation origins with the first of the two models.

    Raises
    ------
    DataError, PipelineError, RungError
        If data, periods or settings do not support the rung.
    """
    close_graphs()
    task = task.seen_by(rung)
    each = [_Learner.of(rung, task, i, measure) for i in range(len(task.series))]
    groups = [each] if rung.scope == "panel" else [[one] for one in each]
    found = [outcome for group in groups for outcome in _learn(rung, task, group, measure)]
    validation, test, drift, models = zip(*found, strict=True)
    return Evaluation(
        validation=np.stack(validation),
        test=np.stack([forecasts.point for forecasts in test]),
        test_quantiles=np.stack([forecasts.quantiles for forecasts in test]),
        test_drift=np.stack(drift),
        models=models,
    )


def try_out(rung: Rung, task: Task) -> FloatArray:
    """Forecast the validation origins by trial models alone, [S, O, H].

    What is cheaper than `evaluate` by the final fit and all that is made of it; on a part of the
    task by more.

    Raises
    ------
    DataError, PipelineError, RungError
        As `evaluate`.
    """
    close_graphs()
    task = task.seen_by(rung)
    each = [_Learner.of(rung, task, i, unmeasured) for i in range(len(task.series))]
    points = np.stack([np.empty(one.actual.shape) for one in each])
    groups = [range(len(each))] if rung.scope == "panel" else [[i] for i in range(len(each))]
    for group in groups:
        for held, fitted in _trial_models(rung, task, [each[i] for i in group]):
            for i in group:
                forecaster = _forecaster(rung, fitted, None, task, each[i])
                points[i, held] = forecaster.predict(each[i].features[held]).point
    return points


def unmeasured(stage: Stage, work: Callable[[], T], *, note: str = "") -> T:  # noqa: ARG001 - a Measure
    """Do work that nobody is charged for."""
    return work()


@dataclass(frozen=True)
class _Learner:
    """One series of a task: its graph, its training rows, its validation origins."""

    series: Series
    graph: FeatureGraph
    clocks: OriginClocks
    rows: Rows
    features: Float32Array  # [O, H, F], of the validation origins
    actual: FloatArray  # [O, H]

    @classmethod
    def of(cls, rung: Rung, task: Task, index: int, measure: Measure) -> "_Learner":
        series, grid = task.series[index], task.grids[index]
        clocks, graph = task.clocks(index), graph_of(rung, task, index)
        plain = len(FeatureGraph(task.recipe.features, grid).columns)
        split = task.split
        if not graph.open:
            measure("features", graph.make, note=GRAPH_MADE)
        rows = measure("features", lambda: training_rows(series, graph, split, plain, task.seed))
        features = clocks.without(rows.features)
        rows = replace(
            rows,
            features=task.physical.without(features),
            target=task.physical.per_unit(rows.target, features),
            idle=task.physical.idle(features),
            levels=task.levels,
        )
        origins = split.validation
        seen = _features(series, graph, origins)
        return cls(series, graph, clocks, rows, seen, series.targets(origins))


def _learn(
    rung: Rung, task: Task, group: list[_Learner], measure: Measure
) -> Iterator[tuple[FloatArray, Forecasts, Float32Array, SeriesModel]]:
    """Yield for each series its validation and test forecasts, the drift, and what made these."""

    def tune() -> list[tuple[FloatArray, Calibrated | None]]:
        points = [np.empty(one.actual.shape) for one in group]
        raws: list[list[FloatArray]] = [[] for _ in group]
        order = []
        for held, fitted in _trial_models(rung, task, group):
            order.append(np.flatnonzero(held))
            for one, point, raw in zip(group, points, raws, strict=True):
                forecaster = _forecaster(rung, fitted, None, task, one)
                features = one.features[held]
                point[held] = forecaster.predict(features).point
                raw.append(forecaster.raw(features))
        back = np.argsort(np.concatenate(order))
        return [
            (point, _calibrated(np.concatenate(raw)[back], task, one))
            for one, point, raw in zip(group, points, raws, strict=True)
        ]

    tuned = measure("tuning", tune)
    fitted = measure("training", lambda: rung.fit(joined([one.rows for one in group])))
    for one, (validation, calibrated) in zip(group, tuned, strict=True):
        forecaster = _forecaster(rung, fitted, calibrated, task, one)
        origins = task.split.test
        seen, came = _features(one.series, one.graph, origins), one.series.targets(origins)
        test, drift = follow(forecaster, seen, origins, came, one.rows.step_s)
        n_rows = len(one.rows.origin) * one.series.horizon
        yield validation, test, drift, SeriesModel(one.graph, forecaster, n_rows)


def _trial_models(
    rung: Rung, task: Task, group: list[_Learner]
) -> Iterator[tuple[BoolArray, Fitted]]:
    """Yield which validation origins a trial model forecasts, and what it has learnt."""
    for trial in trials(task.split):
        yield trial.held, rung.fit(joined([trial.keeps(one.rows) for one in group]))


def _calibrated(raw: FloatArray, task: Task, one: _Learner) -> Calibrated | None:
    """Calibrate raw forecasts of the validation origins, which their models have not seen."""
    if not task.levels:
        return None
    around = one.clocks.without(one.features)
    units, spread = task.physical.per_unit(one.actual, around), task.physical.spread_of(around)
    group, n_groups = one.clocks.group(one.features), len(one.clocks.at)
    return calibrate(raw, units, spread, group, n_groups, task.levels)


def _forecaster(
    rung: Rung, fitted: Fitted, calibrated: Calibrated | None, task: Task, one: _Learner
) -> SeriesForecaster:
    return SeriesForecaster(
        fitted,
        calibrated,
        one.clocks,
        task.physical,
        task.limits,
        levels=task.levels,
        repeats=rung.family == "naive",
        drifts=calibrated is not None and task.recalibrate,
    )


def _features(series: Series, graph: FeatureGraph, origins: IntArray) -> Float32Array:
    return graph.transform(series.windows(origins, graph.reach))
