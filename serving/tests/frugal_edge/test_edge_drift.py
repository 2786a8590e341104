import numpy as np
import pytest
from frugal_edge.drift import COMMON_RATE, SLOT_RATE, Drift
from hypothesis import given, settings
from hypothesis import strategies as st

LEVELS = (0.1, 0.5, 0.9)
HOUR, DAY = 3600, 86400


def followed(
    actual: np.ndarray, quantiles: np.ndarray, step_s: int = HOUR
) -> tuple[np.ndarray, Drift]:
    """Let fixed quantiles [H, Q] drift through days of observations [O, H]."""
    drift, given_quantiles = Drift.none(LEVELS, step_s), []
    width = quantiles[:, -1:] - quantiles[:, :1]
    for day, came in enumerate(actual):
        moved = np.sort(quantiles + width * drift.ahead(day * DAY, actual.shape[1]), axis=1)
        given_quantiles.append(moved)
        drift = drift.learn(day * DAY, moved, came)
    return np.stack(given_quantiles), drift


def test_at_the_start_nothing_moves() -> None:
    ahead = Drift.none(LEVELS, HOUR).ahead(0, 24)
    assert ahead.shape == (24, 3)
    assert ahead.dtype == np.float32
    assert not ahead.any()


def test_one_observation_moves_levels_as_the_rule_says() -> None:
    came = np.full(24, np.nan)
    came[5] = 12.0  # above the first two of the quantiles
    drift = Drift.none(LEVELS, HOUR).learn(0, np.tile([0.0, 10.0, 20.0], (24, 1)), came)
    move = np.array([0.1, 0.5, -0.1])
    assert drift.common == pytest.approx(COMMON_RATE * move)
    assert drift.by_slot[5] == pytest.approx(SLOT_RATE * move)
    assert not np.delete(drift.by_slot, 5, axis=0).any()


@pytest.mark.parametrize("shift", [-3.0, 0.0, 4.0])
def test_the_share_below_a_quantile_becomes_its_level(shift: float) -> None:
    rng = np.random.default_rng(0)
    actual = rng.normal(shift, 2.0, (600, 24))  # the quantiles are those of N(0, 1)
    quantiles = np.tile([-1.2816, 0.0, 1.2816], (24, 1))
    given_quantiles, _ = followed(actual, quantiles)
    late = slice(100, None)
    below = (actual[late, :, None] < given_quantiles[late]).mean(axis=(0, 1))
    assert below == pytest.approx(LEVELS, abs=0.02)


def test_a_shift_at_one_hour_is_followed_there() -> None:
    rng = np.random.default_rng(1)
    actual = rng.normal(0.0, 1.0, (400, 24))
    actual[:, 12] += 3.0
    quantiles = np.tile([-1.2816, 0.0, 1.2816], (24, 1))
    given_quantiles, _ = followed(actual, quantiles)
    late = given_quantiles[-100:, :, 1].mean(axis=0)
    assert late[12] == pytest.approx(3.0, abs=0.5)
    assert np.abs(np.delete(late, 12)).max() < 0.5


def test_what_is_met_missing_or_without_width_teaches_nothing() -> None:
    start = Drift.none(LEVELS, HOUR)
    met = start.learn(0, np.tile([0.0, 0.0, 5.0], (2, 1)), [0.0, np.nan])
    assert met.common[:2].tolist() == [0.0, 0.0]
    assert start.learn(0, np.zeros((2, 3)), [3.0, 4.0]) is start
    assert start.learn(0, np.tile([0.0, 1.0, 5.0], (2, 1)), [np.nan, np.nan]) is start


@given(st.integers(0, 2**31), st.sampled_from([900, 1800, HOUR, DAY, 2 * DAY]))
@settings(max_examples=30)
def test_a_broken_meter_does_not_carry_it_off(seed: int, step_s: int) -> None:
    rng = np.random.default_rng(seed)
    drift = Drift.none(LEVELS, step_s)
    for day in range(300):
        drift = drift.learn(
            day * DAY, np.tile([0.0, 1.0, 2.0], (6, 1)), rng.choice([1e9, -1e9]) * np.ones(6)
        )
    assert np.abs(drift.ahead(0, 6)).max() <= 2.0


def test_slots_are_intervals_of_the_day() -> None:
    drift = Drift.none(LEVELS, 1800)
    assert drift.by_slot.shape == (48, 3)
    came = np.full(96, np.nan)  # two days
    came[[10, 58]] = 99.0
    learnt = drift.learn(6 * HOUR, np.tile([0.0, 1.0, 2.0], (96, 1)), came)
    assert learnt.by_slot[22] == pytest.approx(2 * SLOT_RATE * np.array(LEVELS))
    assert np.count_nonzero(learnt.by_slot.any(axis=1)) == 1
