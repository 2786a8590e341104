"""What a student learns from: windows, and what a teacher says of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from frugal_ai.backtest.evaluate import SeriesModel, Task
from frugal_ai.backtest.forecaster import FORECAST, QUANTILES, Forecasts, OriginClocks
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.origins import IntArray, training_origins
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.split import BoolArray, Split
from frugal_ai.backtest.windows import Series
from frugal_ai.compress.families import families
from frugal_ai.compress.perturb import perturbed
from frugal_ai.errors import RungError
from frugal_ai.export.model import OnnxModel
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import Grid
from frugal_ai.ladder.rung import Float32Array, FloatArray, Rows

NOISE = 0.5
"""Of perturbed windows, over the day-to-day spread; see `perturb.perturbed`."""
TRUST = 0.5
"""Weight of the teacher's word where there is an observation beside it; see `Lesson.rows`."""


@dataclass(frozen=True)
class Teacher:
    """A model that is asked and not opened.

    Attributes
    ----------
    reach
        What its windows hold.
    says
        Forecasts windows of that reach [unit of the series], with no drift.
    """

    reach: Reach
    says: Callable[[Windows], Forecasts]


def teacher_of(model: SeriesModel) -> Teacher:
    """Return a fitted model as a teacher."""
    graph, forecaster = model.graph, model.forecaster
    return Teacher(graph.reach, lambda windows: forecaster.predict(graph.transform(windows)))


def exported_teacher(model: OnnxModel, reach: Reach) -> Teacher:
    """Return an exported model as a teacher.

    Parameters
    ----------
    reach
        What the windows of the graph hold, as its manifest says.
    """

    def says(windows: Windows) -> Forecasts:
        told = {name: values.astype(np.float64) for name, values in model.run(windows).items()}
        point = told[FORECAST]
        return Forecasts(point, told.get(QUANTILES, np.empty((*point.shape, 0))))

    return Teacher(reach, says)


@dataclass(frozen=True)
class Surroundings:
    """All of a series that a student does not learn but takes over.

    Attributes
    ----------
    grid
        Time, calendar and covariates.
    clocks
        Groups of origins by local time.
    physical, limits
        What a plant can do, and what the series can be.
    levels
        Of the quantiles.
    drifts
        Whether these move with what arrives.
    plain
        Number of columns of the recipe's ``features``.
    """

    grid: Grid
    clocks: OriginClocks
    physical: Physical
    limits: Limits
    levels: tuple[float, ...]
    drifts: bool
    plain: int

    @classmethod
    def of(cls, task: Task, index: int) -> "Surroundings":
        """Take them from a task, as it is seen by a rung that learns each series on its own."""
        grid = task.grids[index]
        return cls(
            grid=grid,
            clocks=OriginClocks.of(
                task.split.at if task.levels else task.split.at[:1], grid.step_s
            ),
            physical=task.physical,
            limits=task.limits,
            levels=task.levels,
            drifts=task.recalibrate and len(task.levels) > 1,
            plain=len(FeatureGraph(task.recipe.features, grid).columns),
        )

    def graph(self, blocks: tuple[Block, ...]) -> FeatureGraph:
        """Return the features of a student, with what plant and clocks add to them."""
        return FeatureGraph((*blocks, *self.physical.blocks, *self.clocks.blocks), self.grid)

    def around(self, features: Float32Array) -> Float32Array:
        """Return the features [B, H, F] without the column of the clocks."""
        return self.clocks.without(features)

    def read(self, features: Float32Array) -> Float32Array:
        """Return the features that a student learns from."""
        return self.physical.without(self.around(features))

    def per_unit(self, values: FloatArray, features: Float32Array) -> FloatArray:
        """Divide forecasts [B, H] or quantiles [B, H, Q] by the unit at the time."""
        around = self.around(features)
        if values.ndim == 2:
            return self.physical.per_unit(values, around)
        last = [self.physical.per_unit(values[:, :, q], around) for q in range(values.shape[2])]
        return np.stack(last, axis=2) if last else values

    def idle(self, features: Float32Array) -> BoolArray:
        """Mark where nothing is forecast whatever a model says, as at night [B, H]."""
        around = self.around(features)
        return np.asarray(self.physical.finish(np.ones(features.shape[:2]), around) == 0)

    def bounds(self, features: Float32Array) -> tuple[FloatArray, FloatArray]:
        """Return what no forecast per unit is below and above, [B, H] each."""
        one = self.per_unit(np.ones(features.shape[:2]), features)
        low, high = self.limits.clip(np.array([-np.inf, np.inf]))
        return low * one, np.minimum(high * one, 1.0 if self.physical.full else np.inf)


@dataclass(frozen=True)
class Lesson:
    """Windows with what a teacher says of them, for any number of students.

    Attributes
    ----------
    windows, reach
        In the order of their origins [B], and what they hold.
    told
        Forecasts of the teacher [unit of the series].
    actual
        What was observed [B, H], NaN where nothing was, and of windows that never were.
    step_s
        Length of an interval [s].
    seed
        Of everything random that follows.
    """

    windows: Windows
    reach: Reach
    told: Forecasts
    actual: FloatArray
    step_s: int
    seed: int

    def features(self, graph: FeatureGraph) -> Float32Array:
        """Compute features of the windows [B, H, F]."""
        return graph.transform(narrowed(self.windows, self.reach, graph.reach, graph.grid))

    def rows(self, graph: FeatureGraph, around: Surroundings, trust: float = TRUST) -> Rows:
        """Return training rows of a student whose target is what the teacher says, per unit.

        A teacher remembers the noise of the rows that it has learnt, and knows what is beside them;
        so where there is an observation the target lies between it and the teacher's word.

        Parameters
        ----------
        graph
            The student's features; see `Surroundings.graph`.
        trust
            Weight of the teacher against that of the observation, from 0 to 1.

        Returns
        -------
        Rows
            NaN where nothing is forecast whatever a model says. Perturbed windows stand beside the
            ones that they come from, so that weeks stay together.
        """
        features = self.features(graph)
        told, seen = (around.per_unit(one, features) for one in (self.told.point, self.actual))
        target = np.where(np.isfinite(seen), trust * told + (1 - trust) * seen, told)
        read = around.read(features)
        return Rows(
            features=read,
            target=np.where(around.idle(features), np.nan, target),
            origin=self.windows.origin,
            step_s=self.step_s,
            plain=around.plain,
            seed=self.seed,
            families=families(graph.expressions[: read.shape[2]]),
        )


def lesson(
    teacher: Teacher,
    series: Series,
    split: Split,
    around: Surroundings,
    reach: Reach,
    seed: int,
    copies: int = 1,
    noise: float = NOISE,
) -> Lesson:
    """Ask a teacher about every window before the first test origin, and about perturbed ones.

    Windows whose targets nobody has observed count as well; nothing from the first test origin on
    is read.

    Parameters
    ----------
    reach
        What the students' features read, all of them together.
    copies
        Perturbed windows for each one that was.
    noise
        Of the perturbed windows.

    Raises
    ------
    DataError, PipelineError
        If the history does not hold the windows.
    RungError
        If what the teacher says is not finite.
    """
    reach = reach | teacher.reach
    origins = _origins(series, split, reach)
    real = series.windows(origins, reach)
    fixed = _places((around.grid.capacity,), around.grid, reach) if around.grid.capacity else ()
    step_s = series.panel.step_s
    others = [perturbed(real, step_s, noise, seed + 1 + copy, fixed) for copy in range(copies)]
    windows = _beside_each_other([real, *others])
    told = teacher.says(narrowed(windows, reach, teacher.reach, around.grid))
    if not (np.isfinite(told.point).all() and np.isfinite(told.quantiles).all()):
        raise RungError(f"{series.name}: expected finite forecasts of the teacher, got NaN or more")
    actual = np.full(told.point.shape, np.nan)
    actual[:: copies + 1] = series.targets(origins)
    return Lesson(windows, reach, told, actual, step_s, seed)


def narrowed(windows: Windows, held: Reach, wanted: Reach, grid: Grid) -> Windows:
    """Cut windows down to what a graph reads.

    Parameters
    ----------
    held, wanted
        What they hold, and what of it is read.
    """
    history, steps = max(wanted.history, 1), windows.known.shape[1]
    start = held.lookback - wanted.lookback
    known = _places(tuple(sorted(wanted.known)), grid, held)
    past_held = [name for name in grid.past_names if name in held.past]
    past = [i for i, name in enumerate(past_held) if name in wanted.past]
    return replace(
        windows,
        history=windows.history[:, -history:],
        known=windows.known[:, start:steps][:, :, sorted(known)],
        past=windows.past[:, -history:][:, :, past],
    )


def _places(names: tuple[str | None, ...], grid: Grid, held: Reach) -> tuple[int, ...]:
    """Find known covariates among those that windows hold."""
    there = [name for name in grid.known_names if name in held.known]
    return tuple(there.index(name) for name in names if name in there)


def _origins(series: Series, split: Split, reach: Reach) -> IntArray:
    step = series.panel.step_s
    steps = max(reach.history, reach.lookback, 1)
    return training_origins(
        split.start,
        int(split.test[0]),
        split.at,
        split.timezone,
        steps * step,
        series.horizon * step,
    )


def _beside_each_other(parts: list[Windows]) -> Windows:
    """Put windows of the same origins next to each other."""

    def woven(arrays: list[Float32Array]) -> Float32Array:
        rows, *others = arrays[0].shape
        return np.stack(arrays, axis=1).reshape(rows * len(arrays), *others)

    return Windows(
        history=woven([one.history for one in parts]),
        origin=np.repeat(parts[0].origin, len(parts)),
        known=woven([one.known for one in parts]),
        past=woven([one.past for one in parts]),
    )
