import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from frugal_ai.backtest import metrics
from frugal_ai.backtest.metrics import FloatArray
from frugal_ai.errors import DataError

FORECAST = np.array([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 10.0], [10.0, 10.0]]])
ACTUAL = np.array([[[2.0, 4.0], [3.0, np.nan]], [[10.0, 14.0], [np.nan, np.nan]]])
# deviations: series 0: -1, -2, 0; series 1: 0, -4

VALUES = st.floats(-1e6, 1e6)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    shape = draw(SHAPES)
    forecast = draw(arrays(np.float64, shape, elements=VALUES))
    actual = draw(arrays(np.float64, shape, elements=VALUES))
    missing = draw(arrays(np.bool_, shape))
    missing[:, 0, 0] = False
    return forecast, np.where(missing, np.nan, actual)


def loop_mae(forecast: FloatArray, actual: FloatArray) -> float:
    by_series = []
    for s in range(len(forecast)):
        errors = [
            abs(float(f) - float(y))
            for f, y in zip(forecast[s].ravel(), actual[s].ravel(), strict=True)
            if not math.isnan(y)
        ]
        by_series.append(sum(errors) / len(errors))
    return sum(by_series) / len(by_series)


def test_metrics_are_averaged_over_series_and_skip_missing_actuals() -> None:
    assert metrics.mae(FORECAST, ACTUAL) == pytest.approx((1.0 + 2.0) / 2)
    rmse = (math.sqrt(5 / 3) + math.sqrt(16 / 2)) / 2
    assert metrics.rmse(FORECAST, ACTUAL) == pytest.approx(rmse)
    assert metrics.bias(FORECAST, ACTUAL) == pytest.approx((-1.0 - 2.0) / 2)


def test_relative_metrics_divide_each_series_before_averaging() -> None:
    scale = np.array([2.0, 8.0])
    expected = (1.0 / 2 + 2.0 / 8) / 2
    assert metrics.nmae(FORECAST, ACTUAL, scale) == pytest.approx(expected)
    assert metrics.mase(FORECAST, ACTUAL, scale) == pytest.approx(expected)


def test_score_bundles_the_metrics() -> None:
    denominator, scale = np.array([2.0, 8.0]), np.array([4.0, 1.0])
    score = metrics.score(FORECAST, ACTUAL, denominator, scale)
    assert score == metrics.Score(
        mae=metrics.mae(FORECAST, ACTUAL),
        rmse=metrics.rmse(FORECAST, ACTUAL),
        nmae=metrics.nmae(FORECAST, ACTUAL, denominator),
        mase=metrics.mase(FORECAST, ACTUAL, scale),
        bias=metrics.bias(FORECAST, ACTUAL),
    )


@given(pairs())
def test_mae_equals_a_plain_loop_and_is_at_most_rmse(pair: tuple[FloatArray, FloatArray]) -> None:
    forecast, actual = pair
    mae = metrics.mae(forecast, actual)
    assert mae == pytest.approx(loop_mae(forecast, actual))
    assert mae <= metrics.rmse(forecast, actual) * (1 + 1e-9) + 1e-12
    assert abs(metrics.bias(forecast, actual)) <= mae * (1 + 1e-9) + 1e-12


@given(pairs())
def test_origins_and_lead_times_add_up_to_the_mae(pair: tuple[FloatArray, FloatArray]) -> None:
    forecast, actual = pair
    errors = metrics.origin_errors(forecast, actual)
    by_series = errors.total.sum(axis=1) / errors.count.sum(axis=1)
    assert by_series.mean() == pytest.approx(metrics.mae(forecast, actual))
    np.testing.assert_array_equal(errors.count, (~np.isnan(actual)).sum(axis=2))
    np.testing.assert_array_equal(np.isnan(errors.mean), errors.count == 0)


@given(pairs(), st.floats(1e-3, 1e3))
def test_a_change_of_unit_scales_errors_and_leaves_relative_ones(
    pair: tuple[FloatArray, FloatArray], factor: float
) -> None:
    forecast, actual = pair
    scale = np.full(len(actual), 3.0)
    mae, mase = metrics.mae(forecast, actual), metrics.mase(forecast, actual, scale)
    assert metrics.mae(forecast * factor, actual * factor) == pytest.approx(mae * factor)
    changed = metrics.mase(forecast * factor, actual * factor, scale * factor)
    assert changed == pytest.approx(mase)


def test_denominators_by_name() -> None:
    actual = np.array([[[-2.0, 4.0]], [[np.nan, 5.0]]])
    np.testing.assert_allclose(metrics.denominators("mean_abs", actual), [3.0, 5.0])
    np.testing.assert_allclose(metrics.denominators("max", actual), [4.0, 5.0])
    np.testing.assert_allclose(metrics.denominators("capacity", actual, 9.0), [9.0, 9.0])
    each = metrics.denominators("capacity", actual, np.array([1.0, 2.0]))
    np.testing.assert_allclose(each, [1.0, 2.0])


def test_mase_scale_is_the_in_sample_seasonal_naive_error() -> None:
    history = np.array([[1.0, 5.0, 2.0, 9.0, np.nan, 10.0]])
    np.testing.assert_allclose(metrics.mase_scale(history, 2), [(1 + 4 + 1) / 3])
    np.testing.assert_allclose(metrics.mase_scale(history, 1), [(4 + 3 + 7) / 3])


def test_seasonal_naive_on_its_own_history_has_a_mase_of_one() -> None:
    history = np.random.default_rng(0).normal(size=(2, 50))
    forecast, actual = history[:, None, :-7], history[:, None, 7:]
    assert metrics.mase(forecast, actual, metrics.mase_scale(history, 7)) == pytest.approx(1.0)


def test_skill() -> None:
    assert metrics.skill(2.0, 8.0) == 0.75
    assert metrics.skill(8.0, 8.0) == 0.0
    assert metrics.skill(16.0, 8.0) == -1.0


@pytest.mark.parametrize("baseline", [0.0, -1.0, math.nan])
def test_skill_against_no_error_is_refused(baseline: float) -> None:
    with pytest.raises(DataError, match="baseline"):
        metrics.skill(1.0, baseline)


@pytest.mark.parametrize(
    ("forecast", "actual", "message"),
    [
        (np.zeros((1, 2, 3)), np.zeros((1, 2, 4)), r"forecast \[1, 2, 3\] and actual \[1, 2, 4\]"),
        (np.zeros((2, 3)), np.zeros((2, 3)), r"\[series, origins, horizon\]"),
        (np.zeros((1, 2, 3)), np.full((1, 2, 3), np.nan), "all 6 are missing"),
        (np.zeros((1, 0, 3)), np.zeros((1, 0, 3)), "all 0 are missing"),
        (FORECAST, np.where([[[True]], [[False]]], 1.0, np.nan) + 0 * FORECAST, "all of series 1"),
        (np.array([[[1.0, np.nan]]]), np.ones((1, 1, 2)), "forecast.* series 0, origin 0, step 1"),
        (np.array([[[np.inf, 1.0]]]), np.ones((1, 1, 2)), "forecast.* series 0, origin 0, step 0"),
        (np.ones((1, 1, 2)), np.array([[[1.0, np.inf]]]), "actual.* series 0, origin 0, step 1"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [metrics.mae, metrics.rmse, metrics.bias, metrics.origin_errors],
)
def test_what_cannot_be_scored_is_refused(
    function: Any, forecast: FloatArray, actual: FloatArray, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        function(forecast, actual)


def test_a_missing_forecast_does_not_matter_where_nothing_is_scored() -> None:
    forecast = np.array([[[1.0, np.nan]]])
    assert metrics.mae(forecast, np.array([[[3.0, np.nan]]])) == 2.0


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (np.array([1.0]), r"one denominator per series \[2\], got \[1\]"),
        (np.array([1.0, 0.0]), "got 0.0 for series 1"),
        (np.array([-1.0, 1.0]), "got -1.0 for series 0"),
        (np.array([np.nan, 1.0]), "got nan for series 0"),
    ],
)
def test_a_denominator_must_be_positive(scale: FloatArray, message: str) -> None:
    with pytest.raises(DataError, match=f"nMAE.*{message}"):
        metrics.nmae(FORECAST, ACTUAL, scale)
    with pytest.raises(DataError, match=f"MASE.*{message}"):
        metrics.mase(FORECAST, ACTUAL, scale)


def test_denominators_that_cannot_be_had_are_refused() -> None:
    with pytest.raises(DataError, match="installed capacity, got none"):
        metrics.denominators("capacity", ACTUAL)
    with pytest.raises(DataError, match=r"nMAE by capacity.*above 0"):
        metrics.denominators("capacity", ACTUAL, 0.0)
    with pytest.raises(DataError, match=r"nMAE by capacity.*one denominator per series"):
        metrics.denominators("capacity", ACTUAL, np.ones(3))
    with pytest.raises(DataError, match=r"nMAE by mean_abs.*got 0.0 for series 0"):
        metrics.denominators("mean_abs", np.zeros((1, 2, 3)))


def test_mase_scale_that_cannot_be_had_is_refused() -> None:
    with pytest.raises(DataError, match=r"got 0\.0 for series 0"):
        metrics.mase_scale(np.ones((1, 9)), 2)
    with pytest.raises(DataError, match=r"season between 1 and 8 steps, got 9"):
        metrics.mase_scale(np.ones((1, 9)), 9)
    with pytest.raises(DataError, match=r"got 0$"):
        metrics.mase_scale(np.ones((1, 9)), 0)
    with pytest.raises(DataError, match="series 0 has no two values 2 steps apart"):
        metrics.mase_scale(np.array([[1.0, 2.0, np.nan, np.nan, 5.0, 6.0, np.nan]]), 2)
