"""What is tried on a chosen rung, cheapest first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property, partial
from typing import Literal

import onnx

from frugal_ai.backtest.evaluate import SeriesModel, evaluate, unmeasured
from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.windows import Series
from frugal_ai.compress.lesson import Lesson, Surroundings, exported_teacher, lesson
from frugal_ai.compress.mlp import Perceptron
from frugal_ai.compress.original import ORIGINAL, Candidate, Original, of_models
from frugal_ai.compress.prune import pruned
from frugal_ai.compress.roster import PRUNED_LEAVES, PRUNED_TREES, students_of
from frugal_ai.compress.student import Student, learn, reach_of
from frugal_ai.compress.weights import WAYS, Way
from frugal_ai.errors import CompressionError
from frugal_ai.export.model import OnnxModel
from frugal_ai.export.packed import serialized
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.ladder.seasonal_naive import SeasonalNaive
from frugal_ai.recipes import Kind

Stage = Literal["distillation", "quantization"]
Make = Callable[[Sequence[Candidate]], Candidate]
_OF_FLOATS = frozenset({"fp16", "int8 static", "int8 dynamic"})  # ways for weights of float32


@dataclass(frozen=True)
class Plan:
    """How a candidate is made, from those that were made before it.

    Attributes
    ----------
    kind
        Its name.
    stage
        Of the ledger.
    make
        Makes it.
    """

    kind: str
    stage: Stage
    make: Make


@dataclass
class School:
    """Lessons of a chosen rung, one for each series, given when the first student asks."""

    original: Original
    students: tuple[Student, ...]

    @cached_property
    def around(self) -> tuple[Surroundings, ...]:
        """What students of each series take over."""
        task = self.original.task
        return tuple(Surroundings.of(task, i) for i in range(len(task.series)))

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """Ask the chosen rung about windows before the first test origin, for each series."""
        task = self.original.task
        return tuple(
            lesson(
                exported_teacher(exported, graph.reach), series, task.split, around,
                reach_of(self.students, task.recipe, around), task.seed,
            )
            for exported, graph, series, around in zip(
                self.original.exported, self.original.graphs, task.series, self.around, strict=True
            )
        )  # fmt: skip

    def teach(self, student: Student) -> Candidate:
        """Let a student of each series learn."""
        models = [
            learn(student, given, self.original.task.recipe, around)
            for given, around in zip(self.lessons, self.around, strict=True)
        ]
        return of_models(student.name, models)


def plans(original: Original, kind: Kind, *, skilled: bool) -> list[Plan]:
    """List what is tried on a chosen rung.

    Parameters
    ----------
    kind
        Of target.
    skilled
        Whether it is better than the seasonal naive on the test origins. If not, there is nothing
        to distil, and the naive rung itself is the candidate.
    """
    if original.rung.family == "naive":
        return []
    if not skilled:
        return [Plan("seasonal_naive", "distillation", partial(_naive, original))]
    students = students_of(original.rung, kind)
    school = School(original, students)
    found = [Plan("idle_dropped", "quantization", partial(_idle_dropped, original))]
    found += [Plan(one.name, "distillation", partial(_taught, school, one)) for one in students]
    if original.rung.family == "boosting":
        found += [
            Plan(f"pruned_{trees}", "distillation", partial(_pruned, school, trees))
            for trees in PRUNED_TREES
        ]
    return found + [
        Plan(way.replace(" ", "_"), "quantization", partial(_rewritten, original, way))
        for way in WAYS
    ]


def _taught(school: School, student: Student, _: Sequence[Candidate]) -> Candidate:
    return school.teach(student)


def _naive(original: Original, _: Sequence[Candidate]) -> Candidate:
    rung = SeasonalNaive(season=timedelta(days=1))
    naive = evaluate(rung, original.task.seen_by(rung), unmeasured)
    return of_models("seasonal_naive", naive.models)


def _models(original: Original) -> tuple[SeriesModel, ...]:
    if original.models is None:
        raise CompressionError("the chosen rung is there as a graph alone")
    return original.models


def _idle_dropped(original: Original, _: Sequence[Candidate]) -> Candidate:
    return of_models("idle_dropped", _models(original))


def _pruned(school: School, trees: int, _: Sequence[Candidate]) -> Candidate:
    # the trees beside a linear model have learnt little, and what is cut off was mostly noise
    sweeps = 0 if school.original.rung.rung == "residual_boosting" else 3
    models = [
        pruned(model, given, around, trees, PRUNED_LEAVES * trees, sweeps)
        for model, given, around in zip(
            _models(school.original), school.lessons, school.around, strict=True
        )
    ]
    return of_models(f"pruned_{trees}", models)


def _rewritten(original: Original, way: str, made: Sequence[Candidate]) -> Candidate:
    """Store the weights of the smallest candidate so far in fewer bits.

    Raises
    ------
    CompressionError
        If the way does not apply to any.
    """
    trained = [one for one in made if one.models or one.kind == ORIGINAL]
    for base in sorted(trained, key=lambda one: one.bytes):
        try:
            seen = _with_floats(base, original) if way in _OF_FLOATS else base
            return replace(seen, kind=_kind(base, way), models=None, exported=tuple(
                _in_fewer_bits(model, graph, series, original.task.split.validation, WAYS[way])
                for model, graph, series in zip(
                    seen.exported, seen.graphs, original.task.series, strict=True
                )
            ))  # fmt: skip
        except CompressionError as error:
            why = error
    raise why


def _kind(base: Candidate, way: str) -> str:
    return f"{base.kind}_{way.replace(' ', '_')}"


def _with_floats(base: Candidate, original: Original) -> Candidate:
    """Return a perceptron with its weights as the floats that they stand for."""
    task, wide = original.task, []
    for model, series in zip(base.models or (), task.series, strict=False):
        forecaster, fitted = model.forecaster, model.forecaster.fitted
        if isinstance(fitted, Perceptron):
            windows = series.windows(task.split.validation, model.graph.reach)
            around = forecaster.clocks.without(model.graph.transform(windows))
            fitted = fitted.widened(forecaster.physical.without(around))
            wide.append(replace(model, forecaster=replace(forecaster, fitted=fitted)))
    if not wide:
        raise CompressionError("no perceptron passes the gates")
    # 8 bits hold no inputs of unlike size
    return of_models(base.kind, wide, fold_scalers=False)


def _in_fewer_bits(
    model: OnnxModel, graph: FeatureGraph, series: Series, origins: IntArray, way: Way
) -> OnnxModel:
    feed = model.feed(series.windows(origins, graph.reach), slice(None))
    return OnnxModel.read(serialized(way(onnx.load_model_from_string(model.content), feed)))
