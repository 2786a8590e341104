import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss

from frugal_ai.backtest.compare import resample_origins
from frugal_ai.backtest.metrics import FloatArray
from frugal_ai.backtest.probabilistic import (
    central_pair,
    coverage_interval,
    covered,
    crps,
    pinball,
    pinball_losses,
    score_quantiles,
    shares_below,
    widths,
)
from frugal_ai.errors import DataError

LEVELS = (0.1, 0.5, 0.9)
NAN = float("nan")
VALUES = st.floats(-1e4, 1e4, width=32)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4))


@st.composite
def forecasts(draw: st.DrawFn) -> tuple[FloatArray, FloatArray, tuple[float, ...]]:
    """Quantiles [S, O, H, Q], observations with holes [S, O, H], levels."""
    shape = draw(SHAPES)
    levels = tuple(sorted(draw(st.sets(st.sampled_from(range(1, 20)), min_size=1, max_size=4))))
    quantiles = np.sort(draw(arrays(np.float64, (*shape, len(levels)), elements=VALUES)), axis=3)
    actual = draw(arrays(np.float64, shape, elements=VALUES))
    missing = draw(arrays(np.bool_, shape))
    missing[:, 0, 0] = False
    return quantiles, np.where(missing, NAN, actual), tuple(level / 20 for level in levels)


@given(forecasts())
def test_pinball_is_that_of_scikit_learn(
    drawn: tuple[FloatArray, FloatArray, tuple[float, ...]],
) -> None:
    quantiles, actual, levels = drawn
    expected = np.empty((len(actual), len(levels)))
    for s, observed in enumerate(actual):
        there = ~np.isnan(observed)
        for q, level in enumerate(levels):
            predicted = quantiles[s, ..., q][there]
            expected[s, q] = mean_pinball_loss(observed[there], predicted, alpha=level)
    got = pinball_losses(quantiles, actual, levels)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
    assert pinball(quantiles, actual, levels) == pytest.approx(expected.mean(), abs=1e-9)


@given(forecasts())
def test_coverage_width_and_shares_are_what_a_loop_counts(
    drawn: tuple[FloatArray, FloatArray, tuple[float, ...]],
) -> None:
    quantiles, actual, levels = drawn
    pair = (0, len(levels) - 1)
    inside, width = covered(quantiles, actual, pair), widths(quantiles, actual, pair)
    below = []
    for s in range(len(actual)):
        wide, under = [], []
        for o in range(actual.shape[1]):
            hits = []
            for h in range(actual.shape[2]):
                y, q = actual[s, o, h], quantiles[s, o, h]
                if math.isnan(y):
                    continue
                wide.append(q[-1] - q[0])
                if q[0] == y == q[-1]:
                    continue
                hits.append(q[0] <= y <= q[-1])
                under.append([y <= one for one in q])
            assert inside.count[s, o] == len(hits)
            if hits:
                assert inside.mean[s, o] == pytest.approx(sum(hits) / len(hits))
        assert width[s] == pytest.approx(sum(wide) / len(wide))
        if under:
            below.append(np.mean(under, axis=0))
    if below:
        np.testing.assert_allclose(shares_below(quantiles, actual), np.mean(below, axis=0))


def test_crps_of_many_levels_is_that_of_the_distribution() -> None:
    rng = np.random.default_rng(0)
    actual = rng.normal(1.0, 2.0, (1, 50, 4))
    standard = (actual - 1.0) / 2.0
    # Gneiting and Raftery (2007), equation 21: CRPS of a normal distribution
    exact = 2.0 * (
        standard * (2 * norm.cdf(standard) - 1) + 2 * norm.pdf(standard) - 1 / math.sqrt(math.pi)
    )
    errors = []
    for n in (19, 199, 1999):
        levels = tuple((np.arange(n) + 0.5) / n)
        quantiles = np.broadcast_to(norm.ppf(levels, 1.0, 2.0), (*actual.shape, n))
        errors.append(abs(crps(quantiles, actual, levels) - exact.mean()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-3 * exact.mean()


@given(forecasts())
def test_crps_of_one_level_in_the_middle_is_the_absolute_error(
    drawn: tuple[FloatArray, FloatArray, tuple[float, ...]],
) -> None:
    quantiles, actual, _ = drawn
    one = quantiles[..., :1]
    by_series = [np.nanmean(np.abs(y - q)) for q, y in zip(one[..., 0], actual, strict=True)]
    assert crps(one, actual, (0.5,)) == pytest.approx(np.mean(by_series), rel=1e-9, abs=1e-9)


def test_crps_weighs_levels_by_the_part_that_they_stand_for() -> None:
    quantiles, actual = np.array([[[[0.0, 0.0, 0.0]]]]), np.array([[[1.0]]])
    # losses are 0.1, 0.5 and 0.9; the levels stand for 0 to 0.3, 0.3 to 0.7 and 0.7 to 1
    assert crps(quantiles, actual, LEVELS) == pytest.approx(2 * (0.03 + 0.2 + 0.27))


@pytest.mark.parametrize(
    ("levels", "pair"),
    [
        (LEVELS, (0, 2)),
        ((0.05, 0.1, 0.5, 0.9), (1, 3)),
        ((0.05, 0.25, 0.75, 0.95), (0, 3)),
        ((0.5,), None),
        ((0.1, 0.2), None),
        ((0.3, 0.7), (0, 1)),
    ],
)
def test_the_interval_is_between_the_outermost_symmetric_levels(
    levels: tuple[float, ...], pair: tuple[int, int] | None
) -> None:
    assert central_pair(levels) == pair


def calibrated(seed: int, n_origins: int = 90) -> tuple[FloatArray, FloatArray]:
    actual = np.random.default_rng(seed).normal(0, 1, (2, n_origins, 24))
    return np.broadcast_to(norm.ppf(LEVELS), (*actual.shape, 3)), actual


def test_calibrated_quantiles_are_covered_as_they_say() -> None:
    quantiles, actual = calibrated(1)
    draws = resample_origins(90, 400, 7, seed=0)
    found = score_quantiles(quantiles, actual, LEVELS, np.array([1.0, 2.0]), draws)
    assert found.nominal == pytest.approx(0.8)
    assert found.coverage is not None
    assert found.coverage.value == pytest.approx(0.8, abs=0.02)
    assert found.coverage.low < 0.8 < found.coverage.high
    assert found.sharpness == pytest.approx(2 * norm.ppf(0.9))
    assert found.nsharpness == pytest.approx(2 * norm.ppf(0.9) * 0.75)
    assert [one.level for one in found.by_level] == list(LEVELS)
    np.testing.assert_allclose([one.share for one in found.by_level], LEVELS, atol=0.02)
    assert found.pinball == pytest.approx(np.mean([one.pinball for one in found.by_level]))
    by_series = pinball_losses(quantiles, actual, LEVELS).mean(axis=1)
    assert found.npinball == pytest.approx((by_series / [1.0, 2.0]).mean())


def test_the_interval_of_the_coverage_holds_the_truth_as_often_as_it_says() -> None:
    draws = resample_origins(90, 300, 7, seed=0)
    held = 0
    for seed in range(60):
        quantiles, actual = calibrated(seed)
        found = coverage_interval(quantiles, actual, (0, 2), draws)
        assert found is not None
        assert 0 <= found.low <= found.value <= found.high <= 1
        held += found.low <= 0.8 <= found.high
    assert held >= 52  # 95 % of 60 is 57; 5 fewer is 3 standard deviations


def test_nights_without_uncertainty_are_left_out_of_the_coverage() -> None:
    quantiles = np.zeros((1, 1, 4, 3))
    quantiles[0, 0, 2:] = [1.0, 2.0, 3.0]
    actual = np.array([[[0.0, 0.5, 2.0, 9.0]]])  # a night, a miss where none was expected, day
    inside = covered(quantiles, actual, (0, 2))
    assert (inside.mean[0, 0], inside.count[0, 0]) == (pytest.approx(1 / 3), 3)
    np.testing.assert_allclose(shares_below(quantiles, actual), [0, 1 / 3, 1 / 3])
    assert widths(quantiles, actual, (0, 2))[0] == 1.0  # the nights are as sharp as can be


def test_where_all_is_certain_there_is_no_coverage() -> None:
    quantiles, actual = np.zeros((1, 10, 4, 3)), np.zeros((1, 10, 4))
    draws = resample_origins(10, 50, 2, seed=0)
    found = score_quantiles(quantiles, actual, LEVELS, np.ones(1), draws)
    assert (found.coverage, found.pinball, found.sharpness) == (None, 0.0, 0.0)


def test_without_symmetric_levels_there_is_no_interval() -> None:
    quantiles, actual = calibrated(0)
    draws = resample_origins(90, 50, 7, seed=0)
    found = score_quantiles(quantiles[..., :2], actual, LEVELS[:2], np.ones(2), draws)
    assert (found.nominal, found.coverage, found.sharpness, found.nsharpness) == (None,) * 4


@pytest.mark.parametrize(
    ("quantiles", "levels", "said"),
    [
        (np.zeros((1, 2, 3)), LEVELS, r"quantiles \[series, .* got \[1, 2, 3\]"),
        (np.zeros((1, 2, 3, 2)), LEVELS, r"at 3 levels, one or more, got \[1, 2, 3, 2\]"),
        (np.zeros((1, 2, 3, 0)), (), r"at 0 levels, one or more"),
        (np.tile([1.0, 0.0, 2.0], (1, 2, 3, 1)), LEVELS, "do not cross.* origin 0, step 0"),
        (np.full((1, 2, 3, 3), NAN), LEVELS, "a finite forecast"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    quantiles: FloatArray, levels: tuple[float, ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        pinball_losses(quantiles, np.zeros((1, 2, 3)), levels)


def test_a_denominator_of_zero_is_refused() -> None:
    quantiles, actual = calibrated(0)
    draws = resample_origins(90, 50, 7, seed=0)
    with pytest.raises(DataError, match=r"pinball loss: expected a denominator above 0"):
        score_quantiles(quantiles, actual, LEVELS, np.zeros(2), draws)
