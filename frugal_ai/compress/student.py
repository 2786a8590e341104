"""The contract that every student keeps, and how one learns."""

from typing import Protocol

import numpy as np

from frugal_ai.backtest.evaluate import SeriesModel
from frugal_ai.backtest.forecaster import SeriesForecaster
from frugal_ai.compress.lesson import TRUST, Lesson, Surroundings
from frugal_ai.compress.offsets import fit_offsets
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Fitted, Rows


class Student(Protocol):
    """A small model with its settings; every rung is one, too."""

    @property
    def name(self) -> str:
        """What it is called in a table."""
        ...

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        """Choose the features that it reads."""
        ...

    def fit(self, rows: Rows) -> Fitted:
        """Learn from rows."""
        ...


def reach_of(students: tuple[Student, ...], recipe: Recipe, around: Surroundings) -> Reach:
    """Return what students read, all of them together."""
    reach = Reach()
    for student in students:
        reach |= around.graph(student.blocks(recipe)).reach
    return reach


def learn(
    student: Student,
    lesson: Lesson,
    recipe: Recipe,
    around: Surroundings,
    trust: float = TRUST,
) -> SeriesModel:
    """Fit a student and its quantiles to what a teacher says.

    Returns
    -------
    SeriesModel
        It forecasts in the unit of the series, and stands wherever the teacher stood.
    """
    graph = around.graph(student.blocks(recipe))
    rows = lesson.rows(graph, around, trust)
    return with_quantiles(student.fit(rows), graph, lesson, around)


def with_quantiles(
    fitted: Fitted, graph: FeatureGraph, lesson: Lesson, around: Surroundings
) -> SeriesModel:
    """Give a fitted model the quantiles of a teacher, as offsets of its own forecast."""
    features = lesson.features(graph)
    calibrated = None
    if around.levels:
        idle = around.idle(features)[:, :, None]
        calibrated = fit_offsets(
            raw=fitted.predict(around.read(features)),
            quantiles=np.where(idle, np.nan, around.per_unit(lesson.told.quantiles, features)),
            spread=around.physical.spread_of(around.around(features)),
            group=around.clocks.group(features),
            n_groups=len(around.clocks.at),
            limits=around.bounds(features),
        )
    forecaster = SeriesForecaster(
        fitted,
        calibrated,
        around.clocks,
        around.physical,
        around.limits,
        levels=around.levels,
        drifts=around.drifts,
    )
    return SeriesModel(graph, forecaster, features.shape[0] * features.shape[1])
