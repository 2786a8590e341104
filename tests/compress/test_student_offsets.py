import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from frugal_ai.backtest.conformal import Offsets
from frugal_ai.compress.offsets import fit_offsets

Array = NDArray[np.float64]
KNOTS = np.array([0.1, 0.3, 0.6, 0.9])


def teacher(seed: int, groups: int = 2, horizon: int = 6) -> Offsets:
    rng = np.random.default_rng(seed)
    slopes = rng.normal(0, 0.3, (3, len(KNOTS) - 1))
    table = np.array([-0.1, 0, 0.1]) + rng.normal(0, 0.05, (groups, horizon, 3))
    return Offsets(
        KNOTS[None].astype(np.float32), slopes.astype(np.float32), table.astype(np.float32)
    )


def forecasts(
    seed: int, origins: int = 80, horizon: int = 6
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Forecasts, what errors grow with, and groups."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.5, 2, (origins, horizon))
    return spread * rng.uniform(0, 1, (origins, horizon)), spread, np.arange(origins) % 2


@given(seed=st.integers(0, 50))
def test_a_teacher_that_is_such_offsets_is_met_exactly(seed: int) -> None:
    given_offsets = teacher(seed)
    raw, spread, group = forecasts(seed + 1)
    told = given_offsets.apply(raw[:, :, None], group, spread)
    fitted = fit_offsets(raw, told, spread, group, 2, knots=KNOTS)
    np.testing.assert_allclose(fitted.slopes, given_offsets.slopes, atol=1e-4)
    np.testing.assert_allclose(fitted.table, given_offsets.table, atol=1e-4)
    other, wide, which = forecasts(seed + 2)
    got = fitted.apply(other[:, :, None], which, wide)
    np.testing.assert_allclose(got, given_offsets.apply(other[:, :, None], which, wide), atol=1e-4)


def test_limits_bend_no_line() -> None:
    true = teacher(3)
    raw, spread, group = forecasts(4, origins=600)
    told = np.clip(true.apply(raw[:, :, None], group, spread), 0.0, 1.0)
    low, high = np.zeros(raw.shape), np.ones(raw.shape)
    away = []
    for limits in (None, (low, high)):
        fitted = fit_offsets(raw, told, spread, group, 2, limits, KNOTS)
        got = np.clip(fitted.apply(raw[:, :, None], group, spread), 0.0, 1.0)
        away.append(float(np.abs(got - told).mean()))
    assert ((told == 0) | (told == 1)).mean() > 0.1
    assert away[1] < 0.5 * away[0]


def test_by_default_knots_lie_among_the_forecasts() -> None:
    raw, spread, group = forecasts(7, origins=500)
    true = teacher(7)
    told = true.apply(raw[:, :, None], group, spread)
    fitted = fit_offsets(raw, told, spread, group, 2)
    size = raw / spread
    assert size.min() < fitted.knots.min() < fitted.knots.max() < size.max()
    away = np.abs(fitted.apply(raw[:, :, None], group, spread) - told).mean()
    assert away < 0.1 * np.abs(told - raw[:, :, None]).mean()


def test_what_is_not_to_be_learnt_has_no_say() -> None:
    raw, spread, group = forecasts(9)
    told = teacher(9).apply(raw[:, :, None], group, spread)
    expected = fit_offsets(raw[20:], told[20:], spread[20:], group[20:], 2, knots=KNOTS)
    told[:20] = np.nan
    got = fit_offsets(raw, told, spread, group, 2, knots=KNOTS)
    np.testing.assert_allclose(got.table, expected.table, atol=1e-6)


def test_a_lead_time_that_is_never_told_gets_the_offset_of_the_others() -> None:
    raw, spread, group = forecasts(11)
    true = Offsets(
        KNOTS[None].astype(np.float32),
        np.zeros((3, 3), np.float32),
        np.tile(np.array([-0.2, 0, 0.2], np.float32), (2, 6, 1)),
    )
    told = true.apply(raw[:, :, None], group, spread)
    told[:, 2] = np.nan
    fitted = fit_offsets(raw, told, spread, group, 2)
    np.testing.assert_allclose(fitted.table, true.table, atol=1e-4)


def test_nothing_told_is_nothing_added() -> None:
    raw, spread, group = forecasts(13)
    told = np.full((*raw.shape, 3), np.nan)
    fitted = fit_offsets(raw, told, spread, group, 2)
    got = fitted.apply(raw[:, :, None], group, spread)
    np.testing.assert_array_equal(got, np.repeat(raw[:, :, None], 3, axis=2))


def test_the_median_of_a_biased_student_is_that_of_its_teacher() -> None:
    raw, spread, group = forecasts(15, origins=300)
    told = teacher(15).apply(raw[:, :, None], group, spread)
    student = raw + 0.1 * spread
    fitted = fit_offsets(student, told, spread, group, 2)
    got = fitted.apply(student[:, :, None], group, spread)
    assert (got - told).mean() == pytest.approx(0, abs=2e-3)
