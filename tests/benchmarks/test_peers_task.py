"""What the peers are handed, and how they are measured."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.task import DAY_S, Measured, Task
from benchmarks.peers.workers.measure import Forecast, measured
from benchmarks.peers.workers.seasonal_naive import SeasonalNaive

STEP, DAYS, HORIZON = 3600, 90, 24


def task() -> Task:
    steps = DAYS * DAY_S // STEP
    values = np.arange(2.0 * steps).reshape(2, steps)
    return Task(
        name="toy",
        kind="load",
        series=("a", "b"),
        start=10 * DAY_S,
        step_s=STEP,
        horizon=HORIZON,
        timezone="Europe/Paris",
        country="FR",
        coordinate=(46.5, 2.5),
        values=values,
        known_names=("sun",),
        known=values[:, :, None] + 0.5,
        origins=np.arange(80, 85) * DAY_S,
        levels=(0.1, 0.5, 0.9),
    )


def test_a_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    wrote = task()
    wrote.write(tmp_path / "task.npz")
    read = Task.read(tmp_path / "task.npz")
    for name in ("values", "known", "origins"):
        np.testing.assert_array_equal(getattr(read, name), getattr(wrote, name))
    plain = ("series", "start", "timezone", "coordinate", "known_names", "levels")
    assert [getattr(read, name) for name in plain] == [getattr(wrote, name) for name in plain]


def test_one_task_gives_the_same_bytes(tmp_path: Path) -> None:
    task().write(tmp_path / "one.npz")
    task().write(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_history_ends_before_the_origin_and_targets_start_there() -> None:
    one, origin = task(), 80 * DAY_S
    at = one.at(origin)
    assert at == one.trained_until == 70 * 24
    assert one.times[at] == np.datetime64("1970-03-22T00:00:00")
    np.testing.assert_array_equal(one.history(origin, 3), one.values[:, at - 3 : at])
    np.testing.assert_array_equal(one.history(origin), one.values[:, :at])
    assert one.ahead(origin) == slice(at, at + HORIZON)


def test_a_small_task_is_a_part_of_it() -> None:
    one, small = task(), task().small(60)
    first = int(one.origins[0])
    assert small.series == ("a",)
    assert small.trained_until == 60 * one.day
    np.testing.assert_array_equal(small.history(first), one.history(first, 60 * one.day)[:1])
    np.testing.assert_array_equal(
        small.known[:, small.ahead(first)], one.known[:1, one.ahead(first)]
    )


class Spy:
    """Forecasts the history's last value, with quantiles around it; keeps what it was asked."""

    distribution = "numpy"

    def __init__(self, calls: list[tuple[str, int]]) -> None:
        self.calls = calls

    def fit(self, task: Task) -> None:
        self.calls.append(("fit", len(task.series)))

    def forecast(self, task: Task, origin: int) -> Forecast:
        self.calls.append(("forecast", origin // DAY_S))
        point = np.repeat(task.history(origin, 1), task.horizon, axis=1)
        return Forecast(point, np.stack([point - 1, point, point + 1], axis=-1))


def test_a_peer_is_warmed_up_trained_once_and_asked_at_every_origin(tmp_path: Path) -> None:
    calls: list[tuple[str, int]] = []
    found = measured(lambda: Spy(calls), task())
    assert calls[:3] == [("fit", 1), ("forecast", 80), ("fit", 2)]
    assert calls[3:] == [("forecast", day) for day in range(80, 85)]
    assert found.forecast.shape == (2, 5, HORIZON)
    assert found.quantiles.shape == (2, 5, HORIZON, 3)
    assert found.version == np.__version__
    assert found.train_cpu_s >= 0
    assert found.peak_rss_mb > 10
    found.write(tmp_path / "out.npz")
    read = Measured.read(tmp_path / "out.npz")
    assert read.levels == (0.1, 0.5, 0.9)
    np.testing.assert_array_equal(read.quantiles, found.quantiles)
    assert (read.train_cpu_s, read.origin_cpu_ms) == (found.train_cpu_s, found.origin_cpu_ms)


@pytest.mark.parametrize("days", [1, 7])
def test_the_seasonal_naive_is_the_value_one_season_ago(days: int) -> None:
    one = task()
    found = measured(lambda: SeasonalNaive(days), one)
    assert found.levels == ()
    assert found.quantiles.shape == (2, 5, HORIZON, 0)
    for i, origin in enumerate(one.origins):
        at = one.at(int(origin)) - days * one.day
        np.testing.assert_array_equal(found.forecast[:, i], one.values[:, at : at + HORIZON])
