import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.compress.perturb import perturbed
from frugal_ai.features.graph import Windows

DAY, STEP = 86400, 3600
DAYS, HISTORY, AHEAD = 60, 48, 24


def windows(seed: int = 0) -> Windows:
    """A plant that is dark at night, under two kinds of weather, a tariff and a capacity."""
    rng = np.random.default_rng(seed)
    hours = np.arange((DAYS + 4) * 24)
    light = np.maximum(np.sin(2 * np.pi * (hours % 24 - 6) / 24), 0)
    values = light * rng.uniform(0.2, 1, len(hours))
    known = np.stack(
        [
            10 + 5 * rng.normal(size=len(hours)).cumsum() / np.sqrt(len(hours)),
            light * rng.uniform(0, 900, len(hours)),
            (hours % 24 > 7).astype(float),
            np.linspace(5, 9, len(hours)),
        ],
        axis=1,
    )
    at = 72 + 24 * np.arange(DAYS)
    before = at[:, None] + np.arange(-HISTORY, 0)
    around = at[:, None] + np.arange(-12, AHEAD)
    return Windows(
        history=values[before].astype(np.float32),
        origin=at * STEP,
        known=known[around].astype(np.float32),
        past=values[before][:, :, None].astype(np.float32),
    )


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    real = windows()
    one, again, other = (perturbed(real, STEP, 0.5, seed) for seed in (1, 1, 2))
    for name in ("history", "known", "past"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
        assert (getattr(one, name) != getattr(other, name)).any()


@given(amount=st.floats(0, 3), seed=st.integers(0, 1000))
def test_no_value_leaves_what_its_place_has_seen(amount: float, seed: int) -> None:
    real = windows()
    moved = perturbed(real, STEP, amount, seed)
    np.testing.assert_array_equal(moved.origin, real.origin)
    for name in ("history", "known", "past"):
        was, now = getattr(real, name), getattr(moved, name)
        assert now.dtype == np.float32
        assert (now >= was.min(axis=0)).all()
        assert (now <= was.max(axis=0)).all()


def test_nights_stay_dark() -> None:
    real = windows()
    night = (real.history == 0).all(axis=0)
    assert night.any()
    assert (perturbed(real, STEP, 1.0, 0).history[:, night] == 0).all()


def test_without_an_amount_nothing_moves() -> None:
    real = windows()
    np.testing.assert_array_equal(perturbed(real, STEP, 0.0, 3).known, real.known)


def test_tariffs_and_what_is_fixed_stay() -> None:
    real = windows()
    moved = perturbed(real, STEP, 0.5, 0, fixed=(3,))
    np.testing.assert_array_equal(moved.known[:, :, 2:], real.known[:, :, 2:])
    assert (moved.known[:, :, :2] != real.known[:, :, :2]).any(axis=(0, 1)).all()


def test_the_noise_is_as_large_as_asked_for_and_smooth() -> None:
    rng = np.random.default_rng(5)
    days = 2000
    history = rng.normal(0, 2, (days, HISTORY)).astype(np.float32)
    nothing = np.empty((days, 0, 0), np.float32)
    real = Windows(history, DAY * np.arange(days), nothing, nothing)
    noise = perturbed(real, STEP, 0.25, 0).history - history
    # the spread between two days is that of the difference of two independent ones
    expected = 0.25 * 2 * np.sqrt(2)
    assert noise.std() == pytest.approx(expected, rel=0.03)
    lag_one = np.corrcoef(noise[:, 20], noise[:, 21])[0, 1]
    assert lag_one == pytest.approx(np.exp(-1 / 6), abs=0.03)


def test_a_single_window_stays_as_it_is() -> None:
    real = windows().rows(slice(0, 1))
    moved = perturbed(real, STEP, 0.5, 0)
    np.testing.assert_array_equal(moved.history, real.history)
