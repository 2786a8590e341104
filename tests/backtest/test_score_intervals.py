import math
from collections.abc import Callable

import numpy as np
import pytest

from frugal_ai.backtest.compare import Interval, Resamples, resample_origins
from frugal_ai.backtest.metrics import FloatArray, mae, mase, nmae, rmse
from frugal_ai.backtest.probabilistic import crps, pinball
from frugal_ai.backtest.score_intervals import error_intervals, quantile_intervals

N_ORIGINS = 14
LEVELS = (0.1, 0.5, 0.8)
SCALE = np.array([2.0, 5.0])
DENOMINATOR = np.array([3.0, 0.7])
# with blocks of one origin all that is left of the stretch is Student's quantile for 14
STRETCH = 1.770933 / 1.644854 * math.sqrt(14 / 13)


def drawn(seed: int) -> tuple[FloatArray, FloatArray, FloatArray, Resamples]:
    """A forecast, its quantiles, what came, with gaps, and origins drawn one by one."""
    rng = np.random.default_rng(seed)
    forecast, actual = rng.normal(size=(2, 2, N_ORIGINS, 5))
    actual[rng.random(actual.shape) < 0.3] = np.nan
    quantiles = forecast[..., None] + np.array([-1.0, 0.1, 0.9])
    return forecast, quantiles, actual, resample_origins(N_ORIGINS, 200, 1, seed=seed)


def by_hand(
    resamples: Resamples,
    error: Callable[[FloatArray, FloatArray], float],
    forecast: FloatArray,
    actual: FloatArray,
) -> Interval:
    """The interval from an error of each resample, computed as a metric of its own."""
    value = error(forecast, actual)
    draws = [error(forecast[:, one], actual[:, one]) for one in resamples.indices]
    low, high = np.quantile(draws, [0.05, 0.95], method="inverted_cdf")
    return Interval(value, value - STRETCH * (value - low), value + STRETCH * (high - value))


def check(found: Interval, expected: Interval) -> None:
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert found.low == pytest.approx(max(expected.low, 0.0), rel=1e-5)
    assert found.high == pytest.approx(expected.high, rel=1e-5)


@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_of_point_forecasts_are_those_of_a_plain_loop(seed: int) -> None:
    forecast, _, actual, resamples = drawn(seed)
    found = error_intervals(forecast, actual, DENOMINATOR, SCALE, resamples, level=0.9)
    errors: dict[str, Callable[[FloatArray, FloatArray], float]] = {
        "rmse": rmse,
        "nmae": lambda one, other: nmae(one, other, DENOMINATOR),
        "mase": lambda one, other: mase(one, other, SCALE),
    }
    assert found.keys() == errors.keys()
    for name, error in errors.items():
        check(found[name], by_hand(resamples, error, forecast, actual))


@pytest.mark.parametrize("seed", [3, 4])
def test_intervals_of_quantiles_are_those_of_a_plain_loop(seed: int) -> None:
    _, quantiles, actual, resamples = drawn(seed)
    found = quantile_intervals(quantiles, actual, LEVELS, resamples, level=0.9)
    assert found.keys() == {"pinball", "crps"}
    losses: dict[str, Callable[[FloatArray, FloatArray], float]] = {
        "pinball": lambda one, other: pinball(one, other, LEVELS),
        "crps": lambda one, other: crps(one, other, LEVELS),
    }
    for name, loss in losses.items():
        check(found[name], by_hand(resamples, loss, quantiles, actual))


def test_a_relative_error_of_one_series_is_as_sure_as_the_error_itself() -> None:
    forecast, _, actual, resamples = drawn(5)
    one = error_intervals(forecast[:1], actual[:1], np.array([1.0]), np.array([4.0]), resamples)
    assert one["nmae"].value == pytest.approx(mae(forecast[:1], actual[:1]))
    for end in ("low", "value", "high"):
        assert getattr(one["mase"], end) == pytest.approx(getattr(one["nmae"], end) / 4)


def test_too_few_origins_tell_no_interval() -> None:
    forecast, quantiles, actual, _ = drawn(6)
    few = resample_origins(5, 50, 1, seed=0)
    found = error_intervals(forecast[:, :5], actual[:, :5], DENOMINATOR, SCALE, few)
    found |= quantile_intervals(quantiles[:, :5], actual[:, :5], LEVELS, few)
    assert not any(one.known for one in found.values())
