"""What is tried on a chosen rung, cheapest first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

from frugal_ai.backtest.evaluate import SeriesModel, evaluate
from frugal_ai.compress.lesson import Lesson, Surroundings, exported_teacher, lesson
from frugal_ai.compress.original import Candidate, Original, of_models
from frugal_ai.compress.roster import naive_of, students_of
from frugal_ai.compress.student import Student, learn, reach_of
from frugal_ai.ladder.rung import Rung

Stage = Literal["distillation", "quantization"]
Make = Callable[[Sequence[Candidate]], Candidate]


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


def plans(original: Original, *, skilled: bool) -> list[Plan]:
    """List what is tried on a chosen rung.

    Parameters
    ----------
    skilled
        Whether it is better than the seasonal naive on the test origins. If not, there is nothing
        to distil, and the naive rung itself is the candidate.
    """
    if original.rung.family == "naive":
        return []
    if not skilled:
        naive = naive_of(original)
        return [Plan(naive.name, "distillation", lambda _: _evaluated(original, naive))]
    students = students_of(original.rung)
    school = School(original, students)
    return [Plan(one.name, "distillation", partial(_taught, school, one)) for one in students]


def _taught(school: School, student: Student, _: Sequence[Candidate]) -> Candidate:
    return school.teach(student)


def _evaluated(original: Original, rung: Rung) -> Candidate:
    models: tuple[SeriesModel, ...] = evaluate(rung, original.task, lambda _, work: work()).models
    return of_models(rung.name, models)
