"""Linear quantile regression against scikit-learn's linear programme."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss

from frugal_ai import ladder
from frugal_ai.ladder._levels import FittedLevels
from frugal_ai.ladder.rung import Rows

LEVELS = (0.1, 0.5, 0.9)
RUNG = {"rung": "linear_quantiles", "half_life": None}


def rows(n: int = 300, horizon: int = 2, levels: tuple[float, ...] = LEVELS) -> Rows:
    """Rows whose spread grows with the first feature."""
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 2, (n, horizon, 3)).astype(np.float32)
    slope = np.array([[1.0, -2.0, 0.5], [-1.0, 1.0, 2.0]])
    target = np.einsum("bhf,hf->bh", features, slope) + 20
    target += (0.2 + features[:, :, 0]) * rng.gumbel(size=(n, horizon))
    origin = 86400 * np.arange(n, dtype=np.int64)
    return Rows(features, target, origin, 3600, 3, 0, levels)


def test_each_lead_time_and_level_reaches_the_loss_of_the_linear_programme() -> None:
    data = rows()
    fitted = ladder.make(RUNG | {"alphas": [1e-6]}).fit(data)
    assert isinstance(fitted, FittedLevels)
    quantiles = fitted.predict_quantiles(data.features)
    for h in range(2):
        x, y = data.features[:, h], data.target[:, h]
        for q, level in enumerate(LEVELS):
            oracle = QuantileRegressor(quantile=level, alpha=0.0).fit(x, y).predict(x)
            best = mean_pinball_loss(y, oracle, alpha=level)
            loss = mean_pinball_loss(y, quantiles[:, h, q], alpha=level)
            assert best <= loss <= 1.01 * best, (h, level)


def test_more_steps_find_no_less_loss() -> None:
    data = rows()
    few, many = (ladder.make(RUNG | {"iterations": n}).fit(data) for n in (6, 40))
    assert isinstance(few, FittedLevels)
    assert isinstance(many, FittedLevels)
    for q, level in enumerate(LEVELS):
        losses = [
            mean_pinball_loss(
                data.target.ravel(),
                fitted.predict_quantiles(data.features)[:, :, q].ravel(),
                alpha=level,
            )
            for fitted in (few, many)
        ]
        assert losses[0] == pytest.approx(losses[1], rel=2e-3)


@pytest.mark.parametrize("scale", [1e-4, 1e6])
def test_quantiles_are_in_the_unit_of_the_target(scale: float) -> None:
    data = rows()
    one = ladder.make(RUNG).fit(data)
    other = ladder.make(RUNG).fit(replace(data, target=data.target * scale))
    assert isinstance(one, FittedLevels)
    assert isinstance(other, FittedLevels)
    expected = one.predict_quantiles(data.features) * scale
    np.testing.assert_allclose(other.predict_quantiles(data.features), expected, rtol=1e-3)


def test_a_target_without_noise_has_one_quantile() -> None:
    data = rows()
    features = data.features.astype(np.float64)
    data = replace(data, target=2 * features[:, :, 0] - features[:, :, 1])
    fitted = ladder.make(RUNG | {"alphas": [1e-6]}).fit(data)
    assert isinstance(fitted, FittedLevels)
    quantiles = fitted.predict_quantiles(data.features)
    np.testing.assert_allclose(quantiles, np.repeat(data.target[:, :, None], 3, axis=2), atol=0.01)


def test_a_constant_target_is_its_own_quantile() -> None:
    data = rows()
    fitted = ladder.make(RUNG).fit(replace(data, target=np.full_like(data.target, 3.0)))
    assert isinstance(fitted, FittedLevels)
    np.testing.assert_allclose(fitted.predict_quantiles(data.features), 3.0, atol=1e-3)


def test_the_shares_below_are_those_of_the_levels() -> None:
    data = rows()
    fitted = ladder.make(RUNG).fit(data)
    assert isinstance(fitted, FittedLevels)
    below = (data.target[:, :, None] <= fitted.predict_quantiles(data.features)).mean(axis=(0, 1))
    np.testing.assert_allclose(below, LEVELS, atol=0.03)


def test_the_median_is_the_forecast_whether_it_is_asked_for_or_not() -> None:
    asked, unasked = rows(), rows(levels=(0.2, 0.7))
    with_median, without = (ladder.make(RUNG).fit(data) for data in (asked, unasked))
    assert isinstance(with_median, FittedLevels)
    assert isinstance(without, FittedLevels)
    forecast = with_median.predict(asked.features)
    np.testing.assert_array_equal(forecast, with_median.predict_quantiles(asked.features)[:, :, 1])
    np.testing.assert_array_equal(forecast, without.predict(asked.features))
    assert without.predict_quantiles(asked.features).shape == (300, 2, 2)


def test_levels_lie_in_order_on_average() -> None:
    data = rows()
    fitted = ladder.make(RUNG).fit(data)
    assert isinstance(fitted, FittedLevels)
    means = fitted.predict_quantiles(data.features).mean(axis=(0, 1))
    assert all(after > before for before, after in pairwise(means))


def test_an_outlier_leaves_the_median_where_it_was() -> None:
    data = rows()
    data = replace(data, features=data.features[:, :1], target=data.target[:, :1])
    clean = ladder.make(RUNG).fit(data).predict(data.features)
    data.target[7] = 1e4
    dirty = ladder.make(RUNG).fit(data).predict(data.features)
    assert np.abs(dirty - clean).mean() < 0.15
    ridge = ladder.make({"rung": "ridge", "half_life": None}).fit(data).predict(data.features)
    assert np.abs(ridge - clean).mean() > 10


def test_missing_targets_are_left_out() -> None:
    data = rows()
    data.target[5:9, 1] = np.nan
    fitted = ladder.make(RUNG).fit(data)
    assert isinstance(fitted, FittedLevels)
    assert np.isfinite(fitted.predict_quantiles(data.features)).all()


@pytest.mark.parametrize("settings", [{"iterations": 0}, {"level": 0.5}])
def test_a_wrong_setting_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        ladder.make(RUNG | settings)
