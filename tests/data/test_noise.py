import math

import numpy as np
import pytest

from frugal_ai.data.noise import autoregressive, lagged, smooth_sum, uniform, white


def test_a_longer_draw_begins_with_the_shorter_one() -> None:
    np.testing.assert_array_equal(white(3, 1, 10), white(3, 1, 50)[:10])
    np.testing.assert_array_equal(autoregressive(3, 1, 10, 5.0), autoregressive(3, 1, 50, 5.0)[:10])


def test_streams_and_seeds_differ() -> None:
    draws = [white(seed, stream, 5).tolist() for seed in (0, 1) for stream in (0, 1)]
    assert len({tuple(draw) for draw in draws}) == 4


@pytest.mark.parametrize("steps", [3.0, 30.0])
def test_the_process_has_unit_variance_and_its_correlation_time(steps: float) -> None:
    series = autoregressive(0, 0, 200_000, steps)
    assert series.mean() == pytest.approx(0.0, abs=0.1)
    assert series.std() == pytest.approx(1.0, abs=0.05)
    lag = int(steps)
    assert np.corrcoef(series[lag:], series[:-lag])[0, 1] == pytest.approx(math.exp(-1), abs=0.05)


def test_smoothing() -> None:
    assert smooth_sum(np.array([1.0, 1.0, 1.0]), 0.5).tolist() == [1.0, 1.5, 1.75]
    np.testing.assert_allclose(lagged(np.full(5, 7.0), 3.0), 7.0)
    step = lagged(np.array([0.0, *np.ones(30)]), 10.0)
    assert step[10] == pytest.approx(1 - math.exp(-1))


def test_uniform_is_the_normal_distribution_function() -> None:
    points = np.linspace(-4, 4, 81)
    exact = [0.5 * (1 + math.erf(x / math.sqrt(2))) for x in points]
    np.testing.assert_allclose(uniform(points), exact, atol=2e-4)
