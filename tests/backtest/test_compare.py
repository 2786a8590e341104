import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.backtest.compare import (
    MIN_ORIGINS,
    Interval,
    bootstrap_indices,
    default_block,
    difference_interval,
    mean_error,
    mean_interval,
    resample_origins,
    skill_interval,
)
from frugal_ai.backtest.metrics import FloatArray, OriginErrors, mae, origin_errors
from frugal_ai.errors import DataError

WEEK = resample_origins(90, 500, 7, seed=3)


def errors_of(means: FloatArray, points: int = 24) -> OriginErrors:
    means = np.atleast_2d(means)
    return OriginErrors(means, np.full(means.shape, points, dtype=np.int64))


def autoregressive(
    rng: np.random.Generator, n_origins: int, phi: float, n_paths: int
) -> FloatArray:
    """Absolute values of AR(1) paths, [n_paths, n_origins]."""
    noise = rng.normal(size=(n_paths, n_origins + 60))
    path = np.zeros_like(noise)
    for t in range(1, noise.shape[1]):
        path[:, t] = phi * path[:, t - 1] + noise[:, t]
    return np.abs(path[:, 60:])


def test_default_block_is_a_week_of_origins() -> None:
    assert default_block(364, 86400) == 7
    assert default_block(364, 3600) == 168
    assert default_block(100, 7 * 86400) == 1
    assert default_block(100, 30 * 86400) == 1
    assert default_block(10, 86400) == 5
    assert default_block(1, 86400) == 1


@given(st.integers(1, 60), st.integers(1, 5), st.data())
def test_indices_are_circular_blocks_of_all_origins(
    n_origins: int, n_resamples: int, data: st.DataObject
) -> None:
    block = data.draw(st.integers(1, n_origins))
    indices = bootstrap_indices(n_origins, n_resamples, block, seed=1)
    assert indices.shape == (n_resamples, n_origins)
    assert indices.min() >= 0
    assert indices.max() < n_origins
    within = np.arange(1, n_origins) % block != 0
    steps = (np.diff(indices, axis=1) % n_origins)[:, within]
    assert (steps == 1 % n_origins).all()


def test_every_origin_is_drawn_as_often_as_any_other() -> None:
    n_origins, n_resamples = 50, 4000
    indices = bootstrap_indices(n_origins, n_resamples, 7, seed=0)
    counts = np.bincount(indices.ravel(), minlength=n_origins)
    # 7 times a binomial of R * O / 7 blocks: 5 standard deviations
    spread = 7 * math.sqrt(n_resamples * n_origins / 7 / n_origins)
    assert np.abs(counts - n_resamples).max() < 5 * spread


def test_resamples_are_reproducible_and_depend_on_the_seed() -> None:
    first = bootstrap_indices(30, 20, 7, seed=5)
    np.testing.assert_array_equal(first, bootstrap_indices(30, 20, 7, seed=5))
    assert not np.array_equal(first, bootstrap_indices(30, 20, 7, seed=6))


@pytest.mark.parametrize(
    ("n_origins", "n_resamples", "block", "message"),
    [
        (0, 10, 1, "0 origins and 10 resamples"),
        (10, 0, 1, "10 origins and 0 resamples"),
        (10, 10, 0, "block of 1 to 10 origins, got 0"),
        (10, 10, 11, "block of 1 to 10 origins, got 11"),
    ],
)
def test_impossible_resamples_are_refused(
    n_origins: int, n_resamples: int, block: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        bootstrap_indices(n_origins, n_resamples, block, seed=0)


def test_mean_error_is_the_mae_of_the_forecasts() -> None:
    rng = np.random.default_rng(0)
    forecast, actual = rng.normal(size=(2, 3, 20, 6))
    actual[rng.random(actual.shape) < 0.3] = np.nan
    actual[0, 4] = np.nan
    errors = origin_errors(forecast, actual)
    assert mean_error(errors) == pytest.approx(mae(forecast, actual))
    resamples = resample_origins(20, 200, 3, seed=0)
    assert mean_interval(errors, resamples).value == pytest.approx(mae(forecast, actual))


def test_resampled_means_equal_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    forecast, actual = rng.normal(size=(2, 2, 12, 4))
    actual[rng.random(actual.shape) < 0.4] = np.nan
    resamples = resample_origins(12, 300, 1, seed=2)
    draws = [mae(forecast[:, drawn], actual[:, drawn]) for drawn in resamples.indices]
    got = mean_interval(origin_errors(forecast, actual), resamples, level=0.9)
    low, high = np.quantile(draws, [0.05, 0.95], method="inverted_cdf")
    # with blocks of one origin all that is left of the stretch is Student's quantile for 12
    stretch = 1.795885 / 1.644854 * math.sqrt(12 / 11)
    value = mae(forecast, actual)
    assert got.low == pytest.approx(value - stretch * (value - low), rel=1e-5)
    assert got.high == pytest.approx(value + stretch * (high - value), rel=1e-5)


@pytest.mark.parametrize(("n_origins", "phi"), [(364, 0.3), (91, 0.5), (30, 0.3)])
def test_intervals_hold_the_true_mean_of_correlated_errors(n_origins: int, phi: float) -> None:
    n_paths = 400
    rng = np.random.default_rng(n_origins)
    true = math.sqrt(2 / math.pi / (1 - phi**2))
    resamples = resample_origins(n_origins, 400, 7, seed=4)
    intervals = [
        mean_interval(errors_of(path), resamples)
        for path in autoregressive(rng, n_origins, phi, n_paths)
    ]
    coverage = np.mean([interval.low <= true <= interval.high for interval in intervals])
    # 95 %, give or take 2 % of the method and 3 standard deviations of 400 simulations
    assert abs(coverage - 0.95) < 0.02 + 3 * math.sqrt(0.95 * 0.05 / n_paths)


def test_intervals_of_a_true_gain_hold_it_and_of_none_hold_zero() -> None:
    n_paths, n_origins = 400, WEEK.n_origins
    rng = np.random.default_rng(8)
    shared, own, other = (autoregressive(rng, n_origins, 0.3, n_paths) for _ in range(3))
    a, b, better = shared + 0.5 * own, shared + 0.5 * other, 0.9 * (shared + 0.5 * other)
    equal = [difference_interval(errors_of(a[k]), errors_of(b[k]), WEEK) for k in range(n_paths)]
    gains = [
        difference_interval(errors_of(a[k]), errors_of(better[k]), WEEK) for k in range(n_paths)
    ]
    tolerance = 0.02 + 3 * math.sqrt(0.95 * 0.05 / n_paths)
    assert abs(np.mean([i.low <= 0 <= i.high for i in equal]) - 0.95) < tolerance
    assert abs(np.mean([i.low <= 0.1 <= i.high for i in gains]) - 0.95) < tolerance
    assert np.mean([i.low > 0 for i in gains]) > 0.5


def test_pairing_makes_the_interval_of_a_difference_narrow() -> None:
    rng = np.random.default_rng(2)
    hard_days = 10 * np.exp(rng.normal(size=90))
    a, b = errors_of(hard_days), errors_of(hard_days * 0.95 + 0.01 * rng.random(90))
    paired = difference_interval(a, b, WEEK)
    alone = mean_interval(a, WEEK)
    assert 0 < paired.low <= paired.value <= paired.high
    assert paired.high - paired.low < 0.1 * (alone.high - alone.low) / alone.value


def test_identical_rungs_differ_by_zero_with_zero_width() -> None:
    errors = errors_of(np.random.default_rng(0).random(90))
    assert difference_interval(errors, errors, WEEK) == Interval(0.0, 0.0, 0.0)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_relative_intervals_do_not_depend_on_the_unit(seed: int, factor: float) -> None:
    means = np.random.default_rng(seed).random((2, 2, 90))
    a, b = errors_of(means[0]), errors_of(means[1])
    scaled = difference_interval(errors_of(factor * means[0]), errors_of(factor * means[1]), WEEK)
    plain = difference_interval(a, b, WEEK)
    for name in ("value", "low", "high"):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name), rel=1e-9, abs=1e-9)
    absolute = mean_interval(errors_of(factor * means[0]), WEEK)
    assert absolute.low == pytest.approx(factor * mean_interval(a, WEEK).low)


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_an_interval_holds_its_value_and_grows_with_the_level(seed: int) -> None:
    means = np.random.default_rng(seed).exponential(size=(2, 90))
    a, b = errors_of(means[0]), errors_of(means[1])
    narrow, wide = (difference_interval(a, b, WEEK, level) for level in (0.8, 0.99))
    assert wide.low <= narrow.low <= narrow.value <= narrow.high <= wide.high <= 1
    mean = mean_interval(a, WEEK)
    assert 0 <= mean.low <= mean.value <= mean.high


def test_skill_is_the_gain_over_the_baseline() -> None:
    rng = np.random.default_rng(5)
    errors, baseline = errors_of(rng.random(90)), errors_of(2 + rng.random(90))
    skill = skill_interval(errors, baseline, WEEK)
    assert skill.value == pytest.approx(1 - mean_error(errors) / mean_error(baseline))
    assert skill == difference_interval(baseline, errors, WEEK)
    with pytest.raises(DataError, match="baseline"):
        skill_interval(errors, errors_of(np.zeros(90)), WEEK)


def test_rungs_without_any_error_can_be_compared() -> None:
    perfect, other = errors_of(np.zeros(90)), errors_of(np.ones(90))
    assert difference_interval(perfect, perfect, WEEK) == Interval(0.0, 0.0, 0.0)
    assert difference_interval(other, perfect, WEEK) == Interval(1.0, 1.0, 1.0)
    assert difference_interval(perfect, other, WEEK).value == -math.inf
    assert difference_interval(perfect, other, WEEK).high == -math.inf


def test_too_few_origins_give_no_interval() -> None:
    for n_origins, known in [(1, False), (MIN_ORIGINS - 1, False), (MIN_ORIGINS, True)]:
        resamples = resample_origins(n_origins, 100, default_block(n_origins, 86400), seed=0)
        errors = errors_of(1 + np.random.default_rng(0).random(n_origins))
        interval = mean_interval(errors, resamples)
        assert interval.known is known
        assert (interval.bounds is None) is not known
        if not known:
            assert (interval.low, interval.high) == (-math.inf, math.inf)
            gain = difference_interval(errors, errors, resamples)
            assert gain == Interval(0.0, -math.inf, math.inf)


def test_origins_without_any_target_do_not_count() -> None:
    means, count = np.full((1, 30), np.nan), np.zeros((1, 30), dtype=np.int64)
    means[0, :5], count[0, :5] = 1.0, 24
    errors = OriginErrors(means, count)
    resamples = resample_origins(30, 200, 7, seed=0)
    assert mean_interval(errors, resamples) == Interval(1.0, -math.inf, math.inf)


def test_half_empty_tests_still_give_an_interval() -> None:
    rng = np.random.default_rng(0)
    means, count = rng.random((1, 60)), np.full((1, 60), 24, dtype=np.int64)
    means[0, 10:], count[0, 10:] = np.nan, 0
    interval = mean_interval(OriginErrors(means, count), resample_origins(60, 500, 2, seed=0))
    assert interval.known
    assert interval.low < interval.value < interval.high


def test_a_single_block_gives_no_interval() -> None:
    errors = errors_of(np.random.default_rng(0).random(20))
    assert not mean_interval(errors, resample_origins(20, 100, 15, seed=0)).known


def test_bounds_are_ready_for_json() -> None:
    assert Interval(1.0, 0.5, 2.0).bounds == [0.5, 2.0]
    interval = mean_interval(errors_of(np.random.default_rng(0).random(90)), WEEK)
    assert type(interval.low) is float
    assert type(interval.high) is float


def test_rungs_on_other_targets_are_not_compared() -> None:
    a = errors_of(np.ones(90))
    for b in (errors_of(np.ones(90), points=23), errors_of(np.ones(89))):
        with pytest.raises(DataError, match="same targets"):
            difference_interval(a, b, WEEK)


def test_resamples_of_other_origins_are_refused() -> None:
    with pytest.raises(DataError, match="resamples of 20 origins, got 90"):
        mean_interval(errors_of(np.ones(20)), WEEK)


def test_unscored_rungs_are_refused() -> None:
    empty = OriginErrors(np.full((1, 90), np.nan), np.zeros((1, 90), dtype=np.int64))
    with pytest.raises(DataError, match="finite mean absolute error, got nan"):
        mean_interval(empty, WEEK)
    with pytest.raises(DataError, match="finite mean absolute error, got nan"):
        difference_interval(empty, empty, WEEK)
