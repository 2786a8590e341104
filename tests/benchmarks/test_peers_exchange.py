"""The arrays that peers are handed are those that frugal-ai's own models see."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.peers.exchange import Given, given
from benchmarks.peers.scoring import Judge
from benchmarks.peers.task import HOLIDAY
from benchmarks.peers.workers.seasonal_naive import SeasonalNaive
from frugal_ai.backtest import metrics, probabilistic
from frugal_ai.backtest.compare import mean_error
from frugal_ai.features.blocks.base import Reach
from frugal_ai.judge import seasonal_naive
from frugal_ai.pipeline import read_pipeline
from frugal_ai.prepare import Prepared, prepare
from frugal_ai.settings import format_duration

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
TASKS = ("T1", "T2", "T5", "T6", "T8", "T9")
KINDS = {"load": "load", "wind": "wind", "solar": "pv"}
needs_shared = pytest.mark.skipif(
    not (SHARED / "bench" / "tasks.yaml").is_file() or not (SHARED / "data").is_dir(),
    reason="the folder shared with data and bench is not beside the repository",
)
LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def small(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Given, Prepared]:
    """The small pipeline with limits, as peers are handed it and as frugal-ai prepares it."""
    path = tmp_path_factory.mktemp("peers") / "small.yaml"
    settings = small_settings | {"limits": {"minimum": 3.0, "maximum": 7.0}}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return given(path), prepare(read_pipeline(path), path.parent, {}, lambda _: None)


def naive(one: Given, days: int) -> metrics.FloatArray:
    found = [
        SeasonalNaive(days).forecast(one.task, int(origin)).point for origin in one.task.origins
    ]
    return np.stack(found, axis=1)


def test_what_is_known_at_an_origin_is_what_our_windows_hold(
    small: tuple[Given, Prepared],
) -> None:
    one, prepared = small
    names = prepared.panel.known_names
    reach = Reach(history=14 * one.task.day, lookback=0, known=frozenset(names))
    windows = prepared.series[0].windows(prepared.split.test, reach)
    assert one.task.known_names == (HOLIDAY, *names)
    np.testing.assert_array_equal(one.task.origins, windows.origin)
    for i, origin in enumerate(one.task.origins.tolist()):
        ahead = one.task.known[0, one.task.ahead(origin), 1:]
        np.testing.assert_array_equal(ahead.astype(np.float32), windows.known[i])
        at = one.task.at(origin)
        seen = ~np.isnan(prepared.panel.values[0, at - 14 * one.task.day : at])
        history = one.task.history(origin, 14 * one.task.day)[0].astype(np.float32)
        np.testing.assert_array_equal(history[seen], windows.history[i][seen])
        assert np.isfinite(history).all()
    actual = prepared.series[0].targets(prepared.split.test)
    np.testing.assert_array_equal(one.actual[0], actual)


def test_no_gap_is_filled_with_what_came_after_an_origin(
    small: tuple[Given, Prepared],
) -> None:
    task, values = small[0].task, small[1].panel.values
    first = task.trained_until
    late = np.flatnonzero(np.isnan(values[0, first:])) + first
    for at in late.tolist():
        assert task.values[0, at] == task.values[0, at - 1]


def test_public_holidays_are_days_of_the_local_clock(small: tuple[Given, Prepared]) -> None:
    task = small[0].task
    flag = task.known[0, :, 0].astype(bool)
    off = task.times[flag]
    easter_monday = off[(off > np.datetime64("2023-04-09")) & (off < np.datetime64("2023-04-12"))]
    assert easter_monday[0] == np.datetime64("2023-04-09T22:00:00")  # midnight in Paris
    assert len(easter_monday) == task.day


def test_the_first_origins_alone(small_settings: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings), encoding="utf-8")
    few, every = given(path, 3), given(path)
    np.testing.assert_array_equal(few.task.origins, every.task.origins[:3])
    np.testing.assert_array_equal(few.actual, every.actual[:, :3])


def test_scores_are_those_of_our_own_metrics(small: tuple[Given, Prepared]) -> None:
    one, prepared = small
    day, week = naive(one, 1), naive(one, 7)
    judge = Judge(one, [day, week])
    rng = np.random.default_rng(0)
    forecast = day + rng.normal(0, 0.1, day.shape)
    quantiles = np.sort(forecast[..., None] + rng.normal(0, 0.1, (*day.shape, 3)), axis=-1)
    found = judge.score(forecast, LEVELS, quantiles)
    clipped = np.clip(forecast, 3, 7)
    mae = metrics.mae(clipped, one.actual)
    assert found.mae.value == pytest.approx(mae)
    assert found.mae.low < mae < found.mae.high
    denominator = metrics.denominators("mean_abs", one.actual)
    assert found.nmae == pytest.approx(metrics.nmae(clipped, one.actual, denominator))
    best = min(metrics.mae(np.clip(f, 3, 7), one.actual) for f in (day, week))
    assert found.skill.value == pytest.approx(1 - mae / best)
    pinball = probabilistic.pinball(np.clip(quantiles, 3, 7), one.actual, LEVELS)
    assert found.npinball == pytest.approx(pinball / float(denominator[0]))
    points = judge.score(forecast, (), np.empty((*day.shape, 0)))
    assert (points.npinball, points.coverage) == (None, None)
    ratio = judge.ratio(found, judge.score(day, (), np.empty((*day.shape, 0))))
    assert ratio.value == pytest.approx(mae / metrics.mae(np.clip(day, 3, 7), one.actual))
    assert ratio.low < ratio.value < ratio.high
    assert prepared.split.test.shape == (one.actual.shape[1],)


def test_the_baseline_is_our_own_seasonal_naive(
    small_settings: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings), encoding="utf-8")
    one, prepared = given(path), prepare(read_pipeline(path), tmp_path, {}, lambda _: None)
    ours = seasonal_naive(prepared, prepared.split.test, one.actual).errors
    theirs = Judge(one, [naive(one, 1), naive(one, 7)]).baseline
    assert mean_error(theirs) == pytest.approx(mean_error(ours), rel=1e-3)


@needs_shared
@pytest.mark.parametrize("name", TASKS)
def test_peers_are_handed_the_task_of_the_reference(name: str) -> None:
    content = yaml.safe_load((SHARED / "bench" / "tasks.yaml").read_text(encoding="utf-8"))
    theirs = content["defaults"] | content["tasks"][name]
    one = given(ROOT / "benchmarks" / "tasks" / f"{name}.yaml")
    task, pipeline = one.task, one.pipeline
    assert list(task.series) == theirs["series"]
    assert sorted(task.known_names) == sorted(theirs["known_future"])
    assert task.horizon == theirs["horizon"]
    assert format_duration(pipeline.step) == theirs["step"]
    assert task.kind == KINDS[theirs["kind"]]
    start = datetime.fromisoformat(theirs["train_start"]).replace(tzinfo=UTC)
    assert task.start == start.timestamp()
    assert len(task.origins) == theirs["origins"]["n"]
    first = datetime.fromtimestamp(int(task.origins[0]), task.clock)
    assert first.date() == date.fromisoformat(theirs["origins"]["first"])
    assert f"{first:%H:%M}" == theirs["origins"]["local_time"]
    assert np.isfinite(task.values).all()
    assert np.isfinite(task.known).all()
    clip, some = theirs.get("clip", [-np.inf, np.inf]), np.array([-1.0, 0.5, 2.0])
    np.testing.assert_array_equal(pipeline.limits.clip(some), np.clip(some, *clip))
    mae = metrics.mae(pipeline.limits.clip(naive(one, 1)), one.actual)
    with (SHARED / "bench" / "peers.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["task"] == name]
    expected = next(row for row in rows if row["system"] == "seasonal naive (day)")
    assert mae == pytest.approx(float(expected["MAE"]), rel=1e-3)
