from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.foresight import STARTS, again, lost, once, score, share, windows
from benchmarks.intensity import naive, profile
from frugal_ai.cost.intensity.point import Base, Point
from frugal_ai.when import greenest

NOW = datetime(2022, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 90).map(float), min_size=24, max_size=24))
def test_the_best_window_is_that_of_when(hours: list[float]) -> None:
    base = Base("direct", "average", "production")
    points = [
        Point(NOW + i * HOUR, 3600, value, base, estimated=False, source="s")
        for i, value in enumerate(hours)
    ]
    found = greenest(points, NOW, NOW + 24 * HOUR, 2 * HOUR)
    assert windows(np.array([hours])).min() == pytest.approx(found.best.g_per_kwh)
    assert windows(np.array([hours]))[0, 0] == pytest.approx(found.now.g_per_kwh)


def test_perfect_foresight_is_all_and_starting_now_is_nothing() -> None:
    truth = np.random.default_rng(0).uniform(10, 90, (50, 24))
    assert score(truth, once(truth)).share == 1
    assert score(truth, once(np.zeros_like(truth))).share == 0
    assert score(truth, once(-truth)).share < 0


def test_naive_days() -> None:
    values = np.arange(24.0 * 10)
    at = np.array([24 * 8])
    assert naive(values, at, 1)[0].tolist() == list(range(24 * 7, 24 * 8))
    assert profile(values, at, 3)[0, 0] == pytest.approx(np.mean([24 * 7, 24 * 6, 24 * 5]))


def test_what_is_lost_by_hand() -> None:
    night, noon = [10.0] * 2 + [90.0] * 22, [90.0] * 12 + [10.0] * 2 + [90.0] * 10
    almost = [90.0] * 11 + [20.0] * 2 + [90.0] * 11
    found = lost(np.array([night, noon]), once(np.array([noon, almost])))
    # 80 by taking noon for night; 40 by starting at noon an hour too early
    assert found.elsewhere == pytest.approx(80 / 120)
    many = lost(np.array([night] * 19 + [noon]), once(np.array([night] * 18 + [noon, almost])))
    assert many.tenth == 1  # two starts in twenty lose


def ahead(
    hours: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Cut the next 24 hours at each hour that has them."""
    return np.lib.stride_tricks.sliding_window_view(hours, 24).copy()


def test_who_knows_what_comes_chooses_the_same_again_and_again() -> None:
    truth = ahead(np.random.default_rng(1).uniform(10, 90, 120))
    starts = len(truth) - STARTS + 1
    assert again(truth).tolist() == once(truth)[:starts].tolist()
    assert share(truth[:starts], again(truth)) == 1


def test_a_choice_made_again_is_that_of_waiting_hour_by_hour() -> None:
    made = np.random.default_rng(2).uniform(10, 90, (60, 24))
    for start, chosen in enumerate(again(made).tolist()):
        for waited in range(STARTS):
            left = windows(made[start + waited][None])[0, : STARTS - waited]
            if left[0] == left.min():
                break
        assert chosen == waited


def test_what_is_forecast_later_than_the_start_of_the_work_changes_nothing() -> None:
    made = np.random.default_rng(3).uniform(10, 90, (60, 24))
    chosen = again(made)
    for start in range(len(chosen)):
        poisoned = made.copy()
        poisoned[start + chosen[start] + 1 :] = -1e6
        assert again(poisoned)[start] == chosen[start]


def test_the_interval_holds_the_share() -> None:
    rng = np.random.default_rng(4)
    truth = rng.uniform(10, 90, (400, 24))
    found = score(truth, once(truth + rng.normal(0, 30, truth.shape)))
    assert 0 < found.low < found.share < found.high < 1
    assert found.regret == found.chosen - found.best > 0
