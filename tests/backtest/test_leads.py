import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.backtest.compare import draw_resamples, mean_interval
from frugal_ai.backtest.leads import Band, errors_by_lead, lead_bands
from frugal_ai.backtest.metrics import FloatArray, mae, origin_errors
from frugal_ai.errors import DataError

HOUR, DAY = 3600, 86400
MIDNIGHTS = np.arange(30, dtype=np.int64) * DAY
DRAWS = draw_resamples(MIDNIGHTS, 200, seed=1)


def forecasts(n_series: int, n_steps: int, seed: int, missing: float) -> tuple[FloatArray, ...]:
    random = np.random.default_rng(seed)
    shape = (n_series, len(MIDNIGHTS), n_steps)
    forecast, actual = random.normal(size=shape), random.normal(size=shape)
    actual[random.random(shape) < missing] = np.nan
    actual[:, 0, 0] = 0.0
    return forecast, actual


@given(st.sampled_from([60, 900, 1800, HOUR, 5 * HOUR, 7 * HOUR, DAY]), st.integers(1, 800))
def test_bands_hold_each_step_once_in_order(step_s: int, n_steps: int) -> None:
    bands = lead_bands(step_s, n_steps)
    steps = [step for band in bands for step in range(n_steps)[band.steps]]
    assert steps == list(range(n_steps))
    for band in bands:
        assert (band.from_s, band.to_s) == (band.steps.start * step_s, band.steps.stop * step_s)


@pytest.mark.parametrize(
    ("step_s", "n_steps", "ends"),
    [
        (1800, 48, [HOUR, 6 * HOUR, DAY]),
        (HOUR, 27, [HOUR, 6 * HOUR, DAY, 27 * HOUR]),
        (DAY, 14, [DAY, 2 * DAY, 7 * DAY, 14 * DAY]),
        (5 * HOUR, 3, [15 * HOUR]),
        (900, 4, [HOUR]),
    ],
)
def test_a_horizon_is_cut_where_a_step_ends(step_s: int, n_steps: int, ends: list[int]) -> None:
    assert [band.to_s for band in lead_bands(step_s, n_steps)] == ends


@given(st.integers(0, 1000), st.floats(0, 0.9))
def test_bands_of_a_series_average_to_the_whole(seed: int, missing: float) -> None:
    forecast, actual = forecasts(1, 48, seed, missing)
    found = errors_by_lead(forecast, actual, lead_bands(1800, 48), DRAWS)
    points = [one.points for one in found]
    assert sum(points) == np.isfinite(actual).sum()
    whole = np.average([one.mae.value for one in found], weights=points)
    assert whole == pytest.approx(mae(forecast, actual))


def test_bands_of_several_whole_series_average_to_the_whole() -> None:
    forecast, actual = forecasts(3, 27, seed=2, missing=0.0)
    found = errors_by_lead(forecast, actual, lead_bands(HOUR, 27), DRAWS)
    whole = np.average([one.mae.value for one in found], weights=[one.points for one in found])
    assert whole == pytest.approx(mae(forecast, actual))


def test_a_band_is_scored_as_its_steps_alone_would_be() -> None:
    forecast, actual = forecasts(2, 48, seed=3, missing=0.3)
    bands = lead_bands(1800, 48)
    for band, one in zip(bands, errors_by_lead(forecast, actual, bands, DRAWS, 0.9), strict=True):
        alone = origin_errors(forecast[:, :, band.steps], actual[:, :, band.steps])
        assert one.mae == mean_interval(alone, DRAWS, 0.9)
        assert one.mae.low < one.mae.value < one.mae.high


def test_a_band_without_targets_is_left_out_and_a_series_may_lack_one() -> None:
    forecast, actual = forecasts(2, 4, seed=4, missing=0.0)
    bands = [Band(step * HOUR, (step + 1) * HOUR, slice(step, step + 1)) for step in range(4)]
    actual[:, :, 1] = np.nan
    actual[1, :, 2] = np.nan
    found = errors_by_lead(forecast, actual, bands, DRAWS)
    assert [one.band.from_s // HOUR for one in found] == [0, 2, 3]
    assert [one.points for one in found] == [60, 30, 60]
    assert found[1].mae.value == pytest.approx(np.abs(forecast - actual)[0, :, 2].mean())


def test_few_origins_tell_no_interval() -> None:
    forecast, actual = forecasts(1, 48, seed=5, missing=0.0)
    draws = draw_resamples(MIDNIGHTS[:5], 200, seed=1)
    found = errors_by_lead(forecast[:, :5], actual[:, :5], lead_bands(1800, 48), draws)
    assert not any(one.mae.known for one in found)


def test_resamples_of_other_origins_are_refused() -> None:
    forecast, actual = forecasts(1, 48, seed=5, missing=0.0)
    with pytest.raises(DataError, match="expected resamples of 29 origins, got 30"):
        errors_by_lead(forecast[:, 1:], actual[:, 1:], lead_bands(1800, 48), DRAWS)
