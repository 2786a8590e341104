"""Training rows as linear rungs read them, against plain numpy in double precision."""

import numpy as np

from frugal_ai.ladder._design import ALL, Design
from frugal_ai.ladder.rung import Rows


def rows() -> Rows:
    """Rows with a large level, features of all sizes, a constant one, and gaps."""
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (60, 3, 4)) * [1.0, 1e3, 1e-3, 0.0] + [5.0, 1e4, 0.0, 7.0]
    target = 5e4 + 100 * rng.normal(size=(60, 3))
    target[4:9, 1] = np.nan
    return Rows(features.astype(np.float32), target, 86400 * np.arange(60), 3600, 4, 0)


def test_features_are_standardized_over_all_rows_and_a_constant_one_is_zero() -> None:
    data = rows()
    design = Design.of(data)
    flat = data.features.reshape(-1, 4).astype(np.float64)
    expected = (flat[:, :3] - flat[:, :3].mean(axis=0)) / flat[:, :3].std(axis=0)
    got = design.x.swapaxes(0, 1).reshape(-1, 5)
    np.testing.assert_array_equal(got[:, 0], 1)
    np.testing.assert_allclose(got[:, 1:4], expected, atol=2e-3)
    np.testing.assert_array_equal(got[:, 4], 0)
    assert np.isinf(design.deviation[3])


def test_products_are_weighted_sums_over_what_was_observed() -> None:
    data = rows()
    design = Design.of(data)
    weight = np.random.default_rng(1).uniform(0.1, 1, (3, 60))
    parts = [np.arange(0, 60, 2), np.arange(1, 60, 2)]
    gram, cross = design.products(weight, parts)
    for h in range(3):
        for p, part in enumerate(parts):
            kept = part[np.isfinite(data.target[part, h])]
            x = design.x[h, kept].astype(np.float64)
            weighted = x * weight[h, kept, None]
            np.testing.assert_allclose(gram[p, h], weighted.T @ x, rtol=1e-5, atol=1e-4)
            expected = weighted.T @ data.target[kept, h]
            np.testing.assert_allclose(cross[p, h], expected, rtol=1e-5, atol=1)
    whole, _ = design.products(weight, [ALL])
    np.testing.assert_allclose(whole[0], gram.sum(axis=0), rtol=1e-5, atol=1e-4)


def test_forecasts_keep_the_digits_of_a_large_level() -> None:
    data = rows()
    design = Design.of(data)
    weights = np.random.default_rng(2).normal(size=(3, 5))
    weights[:, 0] += 5e4
    expected = np.einsum("hbf,hf->bh", design.x.astype(np.float64), weights)
    np.testing.assert_allclose(design.forecast(weights), expected, atol=1e-4)
    some = np.array([3, 50])
    np.testing.assert_allclose(design.forecast(weights, some), expected[some], atol=1e-4)
