import re
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import Ridge as Oracle

from frugal_ai import ladder
from frugal_ai.errors import PipelineError, RungError
from frugal_ai.ladder._linear import (
    Moments,
    linear_model,
    moments,
    out_of_fold,
    recency,
    tune_alpha,
)
from frugal_ai.ladder.climatology import SlotMeans
from frugal_ai.ladder.rung import Rows

WEEK = 7 * 86400


def rows(n: int = 120, horizon: int = 3, width: int = 5, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    features = rng.normal(3, 2, (n, horizon, width)).astype(np.float32)
    weights = rng.normal(0, 1, (horizon, width))
    target = np.einsum("bhf,hf->bh", features, weights) + 10 + rng.normal(0, 0.1, (n, horizon))
    return Rows(features, target, 86400 * np.arange(n), 3600, width, 0)


def test_the_ladder_climbs_from_naive_to_boosting() -> None:
    assert set(ladder.names()) >= {
        "persistence",
        "seasonal_naive",
        "climatology",
        "ridge",
        "basis_ridge",
        "linear_quantiles",
        "boosting",
        "quantile_boosting",
        "residual_boosting",
        "stacked_boosting",
    }


def test_an_unknown_rung_is_refused_with_those_there_are() -> None:
    with pytest.raises(PipelineError, match=r"climatology, .*got 'transformer'"):
        ladder.make("transformer")


@pytest.mark.parametrize("given", [3, {"alpha": 1}, {"rung": 4}])
def test_a_rung_without_a_name_is_refused(given: object) -> None:
    with pytest.raises(PipelineError, match="a name or a mapping with the key rung"):
        ladder.make(given)


@pytest.mark.parametrize(
    "settings",
    [
        {"rung": "ridge", "alfas": [1]},
        {"rung": "ridge", "alphas": [0]},
        {"rung": "boosting", "trees": 0},
        {"rung": "seasonal_naive", "season": "daily"},
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ladder.make(settings)


def sums_of(data: Rows) -> Moments:
    return moments(data, 4, recency(data, None))


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 10.0])
def test_ridge_agrees_with_scikit_learn(alpha: float) -> None:
    data = rows()
    sums = sums_of(data)
    model = linear_model(sums, sums.solve(alpha))
    flat = data.features.reshape(-1, 5).astype(np.float64)
    scaled = (data.features - flat.mean(axis=0)) / flat.std(axis=0)
    centred = (scaled - scaled.mean(axis=0)).reshape(-1, 5)
    common = Oracle(alpha=1e-4 * data.target.size, fit_intercept=False).fit(
        centred, (data.target - data.target.mean(axis=0)).ravel()
    )
    for h in range(3):
        left = data.target[:, h] - common.predict(scaled[:, h])
        own = Oracle(alpha=alpha * len(data.target)).fit(scaled[:, h], left)
        expected = common.predict(scaled[:, h]) + own.predict(scaled[:, h])
        got = model.predict(data.features)[:, h]
        # 16-bit weights: half a step of the largest weight, for each feature
        np.testing.assert_allclose(got, expected, atol=2e-3)


def test_held_out_forecasts_have_not_seen_their_week() -> None:
    data = rows()
    sums = sums_of(data)
    clean = out_of_fold(sums, 1e-3)
    held = sums.fold == 1
    spoiled = data.target.copy()
    spoiled[held] += 1000
    again = Rows(data.features, spoiled, data.origin, 3600, 5, 0)
    dirty = out_of_fold(sums_of(again), 1e-3)
    np.testing.assert_allclose(dirty[held], clean[held], atol=1e-4)
    assert np.abs(dirty[~held] - clean[~held]).max() > 100


def test_weeks_are_interleaved_over_the_folds() -> None:
    data = rows()
    np.testing.assert_array_equal(sums_of(data).fold, data.origin // WEEK % 4)


def test_noise_asks_for_a_stronger_penalty() -> None:
    clear, noisy = rows(), rows(n=60)
    rng = np.random.default_rng(1)
    noisy = Rows(noisy.features, rng.normal(0, 1, noisy.target.shape), noisy.origin, 3600, 5, 0)
    alphas = (1e-4, 1e-2, 1.0, 100.0)
    assert tune_alpha(sums_of(clear), alphas) == 1e-4
    assert tune_alpha(sums_of(noisy), alphas) > 1e-2


def test_a_constant_feature_says_nothing() -> None:
    data = rows()
    features = data.features.copy()
    features[:, :, 2] = 7
    sums = sums_of(Rows(features, data.target, data.origin, 3600, 5, 0))
    model = linear_model(sums, sums.solve(1e-3))
    assert (model.scale[2], np.abs(model.weights[:, 2]).max()) == (0, 0)
    assert np.isfinite(model.predict(features)).all()


def test_too_few_origins_are_refused() -> None:
    said = re.escape("ridge: expected at least 28 training origins, got 20")
    with pytest.raises(RungError, match=said):
        ladder.make("ridge").fit(rows(n=20))


def test_climatology_is_the_mean_of_each_slot() -> None:
    slot = np.array([[0, 1], [0, 2], [1, 2]], np.float32)[:, :, None]
    target = np.array([[1.0, 4.0], [3.0, np.nan], [6.0, 8.0]])
    data = Rows(slot, target, np.arange(3), 3600, 1, 0)
    fitted = ladder.make("climatology").fit(data)
    assert isinstance(fitted, SlotMeans)
    assert len(fitted.table) == 168
    np.testing.assert_allclose(fitted.table[:3], [2.0, 5.0, 8.0])
    assert fitted.table[100] == pytest.approx(np.nanmean(target))


def test_rows_keep_to_what_is_of_use() -> None:
    whole = rows(4, 2, 3)
    assert whole.awake is whole.target
    night = np.zeros((4, 2), bool)
    night[1, 0] = True
    some = replace(whole, idle=night).some(np.array([False, True, True, False]))
    assert np.isnan(some.awake).tolist() == [[True, False], [False, False]]
    assert np.isfinite(some.target).all()
    always = replace(whole, idle=np.ones((4, 2), bool))
    assert np.isfinite(always.awake).all(), "something to learn from is left"
