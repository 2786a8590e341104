"""Weights under which least squares lead to a quantile, against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss

from frugal_ai.pinball import Float32Array, FloatArray, reweighted, smoothed_slope


def fitted(x: FloatArray, y: FloatArray, level: float) -> FloatArray:
    """Repeat weighted least squares from the mean on."""
    design = np.column_stack([np.ones(len(y)), x])
    found = np.linalg.lstsq(design, y, rcond=None)[0]
    for _ in range(20):
        root = np.sqrt(reweighted(y - design @ found, level))
        found = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    return np.asarray(design @ found)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_repeated_least_squares_reach_the_pinball_loss_of_a_linear_programme(level: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 3, (400, 2))
    y = x @ [2.0, -1.0] + (0.2 + x[:, 0]) * rng.gumbel(size=400)
    oracle = QuantileRegressor(quantile=level, alpha=0.0).fit(x, y).predict(x)
    best = mean_pinball_loss(y, oracle, alpha=level)
    loss = mean_pinball_loss(y, fitted(x, y, level), alpha=level)
    assert best <= loss <= 1.01 * best


def test_a_residual_weighs_its_side_over_its_size() -> None:
    residual = np.array([2.0, -2.0, 4.0, -4.0])
    weight = reweighted(residual, 0.9)
    expected = np.array([0.9 / 2, 0.1 / 2, 0.9 / 4, 0.1 / 4])
    np.testing.assert_allclose(weight, expected / expected.mean())


def test_what_was_not_observed_weighs_nothing() -> None:
    residual = np.array([[1.0, np.nan], [-3.0, 2.0]])
    weight = reweighted(residual, 0.3)
    assert weight[0, 1] == 0
    assert weight[np.isfinite(residual)].mean() == pytest.approx(1.0)


@pytest.mark.parametrize("residual", [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 8.0], [1e-300, 1.0, 2.0]])
def test_a_perfect_fit_is_no_division_by_zero(residual: list[float]) -> None:
    weight = reweighted(np.array(residual), 0.5)
    assert np.isfinite(weight).all()
    assert weight.mean() == pytest.approx(1.0)


def f32(*values: float) -> Float32Array:
    return np.array(values, np.float32)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_the_smoothed_slope_is_the_mean_slope_over_the_window(level: float) -> None:
    residual = np.linspace(-3, 3, 25, dtype=np.float32)
    around = residual[:, None] + np.linspace(-1, 1, 20001)  # a window of one to either side
    expected = np.where(around > 0, level, level - 1).mean(axis=1)
    got = smoothed_slope(residual, f32(level), f32(1.0))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_beyond_the_window_the_slope_is_that_of_the_pinball_loss() -> None:
    got = smoothed_slope(f32(-2.0, 2.0), f32(0.7), f32(0.5))
    np.testing.assert_allclose(got, [-0.3, 0.7], rtol=1e-6)
