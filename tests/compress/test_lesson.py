from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pytest

from frugal_ai.backtest.evaluate import Evaluation, Task, evaluate, unmeasured
from frugal_ai.backtest.forecaster import Forecasts, SeriesForecaster
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.split import Split
from frugal_ai.backtest.windows import Series
from frugal_ai.compress.few_trees import few_trees
from frugal_ai.compress.lesson import (
    Lesson,
    Surroundings,
    Teacher,
    exported_teacher,
    lesson,
    narrowed,
    teacher_of,
)
from frugal_ai.compress.mlp import Mlp
from frugal_ai.compress.prune import pruned
from frugal_ai.compress.student import Student, learn, reach_of
from frugal_ai.data.panel import Panel
from frugal_ai.errors import RungError
from frugal_ai.export.model import check_parity, to_onnx
from frugal_ai.features.blocks.base import Reach
from frugal_ai.features.blocks.daily import Daily
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.rung import Rung

STEP, HORIZON, DAYS, DAY = 3600, 24, 160, 86400
START = int(datetime(2023, 12, 1, tzinfo=UTC).timestamp())
LEVELS = (0.1, 0.5, 0.9)
RECIPE = Recipe.model_validate(
    {
        "features": [
            {"feature": "lag", "at": ["1d", "2d"]},
            {"feature": "rolling", "window": ["2d"]},
            {"feature": "clock"},
            {"feature": "known", "names": ["temperature"], "mean": ["0d", "6h"]},
        ],
        "basis": [{"feature": "weekday"}],
    }
)
KNOWN = ("temperature", "capacity")
QUICK = Mlp(units=4, epochs=5, linear=2)


def series(seed: int = 0) -> Series:
    """A plant that is dark at night and grows."""
    rng = np.random.default_rng(seed)
    hours = np.arange(DAYS * 24)
    light = np.maximum(np.sin(2 * np.pi * (hours % 24 - 6) / 24), 0)
    warm = 8 + 6 * light + rng.normal(0, 2, len(hours)).cumsum() * 0.05
    capacity = np.where(hours < 60 * 24, 5.0, 10.0)
    values = capacity * light * np.clip(0.4 + 0.02 * warm + rng.normal(0, 0.1, len(hours)), 0, 1)
    panel = Panel(
        series_ids=("plant",),
        start=START,
        step_s=STEP,
        values=values[None],
        known_names=KNOWN,
        known=np.stack([warm, capacity], axis=1)[None],
        past_names=(),
        past=np.empty((1, len(hours), 0)),
        static_names=(),
        static=np.zeros((1, 0)),
        simulated=True,
    )
    return Series(panel, 0, values, HORIZON)


def task(one: Series, *, plant: bool, at: tuple[time, ...] = (time(0),)) -> Task:
    days = START + DAY * np.arange(DAYS)
    origins = np.sort(np.concatenate([days + 3600 * clock.hour for clock in at]))
    split = Split(
        start=START,
        validation=origins[len(at) * 100 : len(at) * 125],
        test=origins[len(at) * 130 : len(at) * 155],
        at=at,
        timezone="UTC",
        folds=2,
    )
    grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="UTC",
        holidays=None,
        valid_from=START,
        valid_until=START + 400 * DAY,
        known_names=KNOWN,
        capacity="capacity" if plant else None,
    )
    best = Daily(feature="daily", days=(14,), stats=("max",))
    physical = Physical(unit=True, full=True, spread=best, dark=True) if plant else Physical()
    limits = Limits(minimum=0.0) if plant else Limits()
    return Task(RECIPE, (one,), (grid,), split, 0, limits=limits, levels=LEVELS, physical=physical)


def taught(given: Task, rung: Rung) -> Evaluation:
    return evaluate(rung, given, unmeasured)


def lesson_of(
    given: Task, teacher: Teacher, students: tuple[Student, ...] = (QUICK,), copies: int = 1
) -> tuple[Lesson, Surroundings]:
    around = Surroundings.of(given, 0)
    reach = reach_of(students, given.recipe, around)
    made = lesson(teacher, given.series[0], given.split, around, reach, given.seed, copies)
    return made, around


@pytest.fixture(scope="module", params=[False, True], ids=["load", "plant"])
def plant(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_nothing_from_the_first_test_origin_on_is_read(plant: bool) -> None:
    one = series()
    given = task(one, plant=plant)
    teacher = teacher_of(taught(given, BasisRidge()).models[0])
    clean, around = lesson_of(given, teacher)
    cut = int(given.split.test[0] - START) // STEP
    values, known = one.filled.copy(), one.panel.known.copy()
    values[cut:], known[:, cut:] = 1e6, 1e6
    poisoned = Series(replace(one.panel, values=values[None], known=known), 0, values, HORIZON)
    other, _ = lesson_of(replace(given, series=(poisoned,)), teacher)
    graph = around.graph(QUICK.blocks(RECIPE))
    for name in ("features", "target", "origin"):
        np.testing.assert_array_equal(
            getattr(other.rows(graph, around), name), getattr(clean.rows(graph, around), name)
        )
    np.testing.assert_array_equal(other.told.quantiles, clean.told.quantiles)
    assert clean.windows.origin.max() + HORIZON * STEP <= given.split.test[0]


def test_a_teacher_says_the_same_from_its_graph(plant: bool) -> None:
    given = task(series(), plant=plant)
    model = taught(given, Boosting(trees=10)).models[0]
    one, _ = lesson_of(given, teacher_of(model))
    other, _ = lesson_of(given, exported_teacher(to_onnx(model), model.graph.reach))
    np.testing.assert_allclose(other.told.point, one.told.point, atol=1e-4)
    np.testing.assert_allclose(other.told.quantiles, one.told.quantiles, atol=1e-4)


def test_targets_lie_between_teacher_and_observation_per_unit(plant: bool) -> None:
    one = series()
    values = one.panel.values.copy()
    values[0, 700:740] = np.nan
    holed = Series(replace(one.panel, values=values), 0, one.filled, HORIZON)
    given = task(holed, plant=plant)
    made, around = lesson_of(given, teacher_of(taught(given, BasisRidge()).models[0]))
    graph = around.graph(QUICK.blocks(RECIPE))
    told, seen, half = (made.rows(graph, around, trust).target for trust in (1.0, 0.0, 0.5))
    np.testing.assert_allclose(half, (told + seen) / 2)
    unit = np.ones(told.shape)
    if plant:
        unit = np.where(made.windows.origin < START + 60 * DAY, 5.0, 10.0)[:, None] * unit
        assert np.nanmax(told) <= 1.0
        # the night is left out
        assert np.isnan(told[:, :5]).all()
    lit = np.isfinite(told)
    np.testing.assert_allclose((told * unit)[lit], made.told.point[lit], rtol=1e-6)
    observed = np.isfinite(made.actual) & lit
    np.testing.assert_allclose((seen * unit)[observed], made.actual[observed], rtol=1e-6)
    # what nobody has observed, and what never was, is what the teacher says
    np.testing.assert_array_equal(seen[~observed], told[~observed])
    assert np.isnan(made.actual[::2]).any()
    assert np.isnan(made.actual[1::2]).all()


def test_perturbed_windows_stand_beside_their_own(plant: bool) -> None:
    given = task(series(), plant=plant)
    teacher = teacher_of(taught(given, BasisRidge()).models[0])
    alone, around = lesson_of(given, teacher, copies=0)
    made, _ = lesson_of(given, teacher, copies=2)
    np.testing.assert_array_equal(made.windows.origin, np.repeat(alone.windows.origin, 3))
    np.testing.assert_array_equal(made.windows.history[::3], alone.windows.history)
    assert (made.windows.history[1::3] != made.windows.history[2::3]).any()
    assert np.abs(made.told.point[1::3] - made.told.point[::3]).max() > 0
    if around.grid.capacity:
        place = [n for n in KNOWN if n in made.reach.known].index("capacity")
        capacity = made.windows.known[:, :, place]
        np.testing.assert_array_equal(capacity[1::3], capacity[::3])


def test_narrowed_windows_are_those_that_would_have_been_cut() -> None:
    one = series()
    given = task(one, plant=False)
    wide = Reach(history=60, lookback=30, known=frozenset(KNOWN))
    origins = given.split.validation
    held = one.windows(origins, wide)
    for narrow in (
        Reach(history=24, lookback=6, known=frozenset({"capacity"})),
        Reach(history=60, known=frozenset(KNOWN)),
        Reach(),
    ):
        got, expected = narrowed(held, wide, narrow, given.grids[0]), one.windows(origins, narrow)
        for name in ("history", "known", "past", "origin"):
            np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))


def test_a_student_of_the_teachers_kind_becomes_the_teacher(plant: bool) -> None:
    given = task(series(), plant=plant)
    result = taught(given, BasisRidge())
    made, around = lesson_of(given, teacher_of(result.models[0]), (BasisRidge(),))
    # nothing but the teacher's word, so that the ridge finds its own weights again
    student = learn(BasisRidge(alphas=(1e-4,), half_life=None), made, RECIPE, around, trust=1.0)
    features = student.graph.transform(given.series[0].windows(given.split.test, made.reach))
    got, expected = (
        student.forecaster.predict(features),
        result.models[0].forecaster.predict(features),
    )
    size = float(np.abs(result.test).mean())
    assert np.abs(got.point - expected.point).mean() < 0.05 * size
    assert np.abs(got.quantiles - expected.quantiles).mean() < 0.05 * size


@pytest.mark.parametrize(
    "student", [QUICK, *few_trees(None)], ids=lambda student: str(student.name)
)
def test_students_stand_where_the_teacher_stood(plant: bool, student: Student) -> None:
    given = task(series(), plant=plant, at=(time(0), time(12)))
    teacher = teacher_of(taught(given, Boosting(trees=20)).models[0])
    made, around = lesson_of(given, teacher, (student,))
    model = learn(student, made, RECIPE, around)
    windows = given.series[0].windows(given.split.test, model.graph.reach)
    forecasts = model.forecaster.predict(model.graph.transform(windows))
    assert (np.diff(forecasts.quantiles, axis=2) >= 0).all()
    np.testing.assert_array_equal(forecasts.point, forecasts.quantiles[:, :, 1])
    told = teacher.says(narrowed(
        given.series[0].windows(given.split.test, made.reach), made.reach, teacher.reach,
        around.grid,
    ))  # fmt: skip
    actual = given.series[0].targets(given.split.test)
    typical = float(np.abs(actual).mean())
    assert np.abs(forecasts.quantiles - told.quantiles).mean() < 0.25 * typical
    exported = to_onnx(model)
    assert exported.drift_shape == (HORIZON, len(LEVELS))
    assert check_parity(exported, windows, forecasts, typical) <= 1e-5
    assert model.n_rows == HORIZON * len(made.windows)


def test_a_pruned_teacher_stands_there_as_well(plant: bool) -> None:
    given = task(series(), plant=plant)
    model = taught(given, Boosting(trees=40, learning_rate=0.2)).models[0]
    made, around = lesson_of(given, teacher_of(model))
    small = pruned(model, made, around, trees=20, leaves=60)
    windows = given.series[0].windows(given.split.test, small.graph.reach)
    forecasts = small.forecaster.predict(small.graph.transform(windows))
    exported = to_onnx(small)
    assert len(exported.content) < len(to_onnx(model).content) - 1000
    mean = float(np.abs(forecasts.point).mean())
    assert check_parity(exported, windows, forecasts, mean) <= 1e-5


def test_a_task_without_quantiles_gives_students_without() -> None:
    given = replace(task(series(), plant=False), levels=())
    made, around = lesson_of(given, teacher_of(taught(given, BasisRidge()).models[0]))
    model = learn(QUICK, made, RECIPE, around)
    assert isinstance(model.forecaster, SeriesForecaster)
    assert model.forecaster.calibrated is None
    assert to_onnx(model).outputs == ("forecast",)


def test_it_is_the_same_for_the_same_seed() -> None:
    given = task(series(), plant=True)
    teacher = teacher_of(taught(given, BasisRidge()).models[0])
    one, again = (
        to_onnx(learn(QUICK, *_swapped(lesson_of(given, teacher)))).content for _ in range(2)
    )
    assert one == again


def _swapped(pair: tuple[Lesson, Surroundings]) -> tuple[Lesson, Recipe, Surroundings]:
    return pair[0], RECIPE, pair[1]


def test_a_teacher_that_says_nothing_is_refused() -> None:
    given = task(series(), plant=False)
    graph = Surroundings.of(given, 0).graph(QUICK.blocks(RECIPE))

    def silent(windows: object) -> Forecasts:
        point = np.full((len(windows), HORIZON), np.nan)  # type: ignore[arg-type]
        return Forecasts(point, np.empty((*point.shape, 0)))

    with pytest.raises(RungError, match="plant: expected finite forecasts of the teacher"):
        lesson_of(given, Teacher(graph.reach, silent))
