"""Weights of a lead time between those common to all and its own, against normal equations."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from frugal_ai import ladder
from frugal_ai.ladder._linear import (
    COMMON,
    LinearModel,
    Moments,
    linear_model,
    moments,
    out_of_fold,
    recency,
    tune_alpha,
)
from frugal_ai.ladder.rung import FloatArray, Rows

DAY = 86400


def rows(apart: float, n: int = 200, horizon: int = 4, noise: float = 0.5, seed: int = 0) -> Rows:
    """Rows whose lead times have weights that differ by as much as is said."""
    rng = np.random.default_rng(seed)
    features = rng.normal(2, 3, (n, horizon, 3)).astype(np.float32)
    weights = np.array([1.5, -0.7, 0.3]) + apart * rng.normal(size=(horizon, 3))
    level = 5 + np.arange(horizon)
    target = np.einsum("bhf,hf->bh", features, weights) + level
    target += rng.normal(0, noise, (n, horizon))
    return Rows(features, target, DAY * np.arange(n, dtype=np.int64), 3600, 3, 0)


def evenly(data: Rows) -> Moments:
    return moments(data, 4, np.ones(data.target.shape))


def pooled(data: Rows, weight: FloatArray) -> FloatArray:
    """Forecast by weighted least squares over all rows, an intercept for each lead time."""
    count, horizon, width = data.features.shape
    dummies = np.broadcast_to(np.eye(horizon), (count, horizon, horizon))
    design = np.concatenate([dummies, data.features], axis=2).reshape(-1, horizon + width)
    seen = np.isfinite(data.target).ravel()
    root = np.sqrt(weight.ravel()[seen])[:, None]
    found = np.linalg.lstsq(
        design[seen] * root, data.target.ravel()[seen] * root[:, 0], rcond=None
    )[0]
    return np.asarray(design @ found).reshape(count, horizon)


def test_common_weights_are_pooled_least_squares_with_an_intercept_per_lead_time() -> None:
    data = rows(apart=0.4)
    data.target[3:20, 1] = np.nan  # not every lead time has as many
    sums = evenly(data)
    solved = sums.solve(COMMON)
    np.testing.assert_array_equal(solved[:, 1:], np.tile(solved[:1, 1:], (4, 1)))
    got = sums.design.forecast(solved)
    # the penalty that keeps what says nothing at zero is one ten-thousandth of a row
    np.testing.assert_allclose(got, pooled(data, np.ones(data.target.shape)), atol=5e-3)


def test_the_weights_of_rows_are_those_of_weighted_least_squares() -> None:
    data = rows(apart=0.4)
    weight = recency(data, timedelta(days=30))
    sums = moments(data, 4, weight)
    got = sums.design.forecast(sums.solve(COMMON))
    np.testing.assert_allclose(got, pooled(data, weight), atol=2e-2)
    assert np.abs(got - pooled(data, np.ones_like(weight))).max() > 5e-2


def test_next_to_no_penalty_leaves_each_lead_time_alone() -> None:
    data = rows(apart=1.0)
    sums = evenly(data)
    got = sums.design.forecast(sums.solve(1e-9))
    for h in range(data.target.shape[1]):
        one = Rows(data.features[:, h : h + 1], data.target[:, h : h + 1], data.origin, 3600, 3, 0)
        alone = pooled(one, np.ones(one.target.shape))
        np.testing.assert_allclose(got[:, h : h + 1], alone, atol=1e-5)


def test_a_large_penalty_draws_to_the_common_weights() -> None:
    data = rows(apart=1.0)
    sums = evenly(data)
    common = sums.solve(COMMON)
    far = [np.abs(sums.solve(alpha) - common).max() for alpha in (1e-3, 1.0, 1e3, 1e6)]
    assert all(after < before for before, after in pairwise(far))
    assert far[-1] < 1e-5


def test_some_lead_times_are_solved_as_all_of_them() -> None:
    sums = evenly(rows(apart=1.0))
    for alpha in (1e-2, COMMON):
        whole = sums.solve(alpha, without=1)
        part = sums.solve(alpha, without=1, leads=slice(None, None, 3))
        np.testing.assert_allclose(part, whole[::3], rtol=1e-12)


@pytest.mark.parametrize("alpha", [1e-2, COMMON])
def test_many_targets_are_solved_as_each_of_them(alpha: float) -> None:
    data = rows(apart=1.0)
    sums = evenly(data)
    other = evenly(replace(data, target=data.target**2))
    together = (
        sums.system()
        .solver(alpha)
        .solve(np.stack([one.cross.sum(axis=0) for one in (sums, other)], axis=1))
    )
    np.testing.assert_allclose(together[:, 0], sums.solve(alpha), atol=1e-9)
    np.testing.assert_allclose(together[:, 1], other.solve(alpha), atol=1e-9)


@pytest.mark.parametrize("apart", [0.0, 0.05, 0.2, 1.0])
def test_the_penalty_is_that_of_the_least_error_on_weeks_that_were_not_seen(apart: float) -> None:
    data = rows(apart=apart, n=80, noise=2.0)
    data.target[3:20, 1] = np.nan
    sums = evenly(data)
    alphas = (1e-3, 1e-1, 10.0, COMMON)
    errors = [np.nansum((data.target - out_of_fold(sums, alpha)) ** 2) for alpha in alphas]
    assert tune_alpha(sums, alphas) == alphas[int(np.argmin(errors))]


def test_a_single_penalty_is_taken_as_it_is() -> None:
    assert tune_alpha(evenly(rows(apart=0.0)), (1e-3,)) == 1e-3


def test_a_lead_time_that_nobody_observed_has_the_common_weights() -> None:
    data = rows(apart=0.5)
    data.target[:, 2] = np.nan
    sums = evenly(data)
    solved = sums.solve(1e-2)
    np.testing.assert_allclose(solved[2, 1:], sums.system().common, atol=1e-9)
    assert np.isfinite(solved).all()


@pytest.mark.parametrize(("apart", "common"), [(0.0, True), (1.0, False)])
def test_common_weights_are_taken_where_lead_times_are_alike(apart: float, common: bool) -> None:
    data = rows(apart=apart, n=60, noise=2.0)
    assert (tune_alpha(evenly(data), (1e-3, COMMON)) == COMMON) == common
    fitted = ladder.make({"rung": "ridge", "half_life": None, "alphas": [1e-3]}).fit(data)
    assert isinstance(fitted, LinearModel)
    assert fitted.weights.shape == ((1, 3) if common else (4, 3))
    assert fitted.weights.dtype == np.int16


def test_common_weights_are_kept_once_and_forecast_alike() -> None:
    data = rows(apart=0.2)
    sums = evenly(data)
    solved = sums.solve(COMMON)
    model = linear_model(sums, solved)
    assert model.weights.shape == (1, 3)
    np.testing.assert_allclose(
        model.predict(data.features), sums.design.forecast(solved), atol=5e-3
    )


def test_a_row_counts_half_after_the_half_life() -> None:
    data = rows(apart=0.0)
    weight = recency(data, timedelta(days=20))
    assert weight.shape == data.target.shape
    newest = weight[-1, 0]
    assert newest == 1.0
    np.testing.assert_allclose(weight[-21], 0.5 * newest)
    np.testing.assert_allclose(weight[-61], 0.125 * newest)
    assert (recency(data, None) == 1).all()


def test_recent_rows_decide_when_the_series_has_changed() -> None:
    old, new = rows(apart=0.0, seed=1), rows(apart=0.0, seed=2)
    data = Rows(
        np.concatenate([old.features, new.features]),
        np.concatenate([old.target, new.target + 50]),
        DAY * np.arange(400, dtype=np.int64),
        3600,
        3,
        0,
    )
    quick, never = (
        ladder.make({"rung": "ridge", "half_life": life}).fit(data).predict(new.features)
        for life in ("20d", None)
    )
    assert np.abs(quick - new.target - 50).mean() < 2
    assert np.abs(never - new.target - 50).mean() > 15
