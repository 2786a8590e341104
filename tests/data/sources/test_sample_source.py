from typing import Any

import numpy as np
import pytest

from frugal_ai.data.calendar import DAY_S, holiday_days, local_seconds
from frugal_ai.data.panel import FloatArray, Panel
from frugal_ai.data.sources import Request, make
from frugal_ai.errors import PipelineError

WEATHER = ("temperature", "irradiance", "cloud_cover", "wind_speed")
AHEAD = 7 * 48


def load(**config: Any) -> Panel:
    request = Request(series=(), step_s=1800, tell=print, known=WEATHER,
                      static=("capacity_mw", "latitude"))  # fmt: skip
    return make({"name": "sample", **config}).load(request)


PANEL = load()
LOAD, PV, WIND = PANEL.values[:, :-AHEAD]
TEMPERATURE, IRRADIANCE, CLOUD, SPEED = PANEL.known[0, :-AHEAD].T
TIMES = PANEL.times[:-AHEAD]
LOCAL = local_seconds("Europe/Paris", TIMES)
HOUR = LOCAL % DAY_S / 3600
WEEKDAY = (LOCAL // DAY_S + 3) % 7
HOLIDAY = np.isin(LOCAL // DAY_S, holiday_days("FR", 2022, 2024))
MONTH = TIMES.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1


def corr(a: FloatArray, b: FloatArray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_the_weather_goes_on_for_a_week() -> None:
    assert np.isnan(PANEL.values[:, -AHEAD:]).all()
    assert not np.isnan(PANEL.values[:, :-AHEAD]).any()
    assert not np.isnan(PANEL.known).any()
    assert PANEL.simulated
    np.testing.assert_array_equal(PANEL.static, [[10.0, 45.75], [3.0, 45.75], [4.0, 45.75]])


def test_two_years_and_more_of_half_hours() -> None:
    assert len(TIMES) >= 2 * 365 * 48


def test_the_seed_decides() -> None:
    short = {"first": "2022-01-01", "last": "2022-02-01"}
    assert load(**short).digest() == load(**short).digest()
    assert load(**short).digest() != load(**short, seed=1).digest()


def test_a_longer_period_begins_with_the_shorter_one() -> None:
    short = load(first="2022-01-01", last="2022-02-01")
    n = short.length - AHEAD
    np.testing.assert_array_equal(short.values[:, :n], PANEL.values[:, :n])


def test_a_period_that_is_none_is_refused() -> None:
    with pytest.raises(PipelineError, match="expected first < last, got first 2024-01-01"):
        load(first="2024-01-01", last="2024-01-01")


def test_magnitudes_are_those_of_a_medium_voltage_feeder() -> None:
    assert 1.5 < LOAD.min() < 3.0
    assert 8.0 < LOAD.max() < 10.5
    assert PV.min() == 0.0
    assert 2.3 < PV.max() <= 3.0
    assert 0.11 < PV.mean() / 3.0 < 0.18
    assert WIND.min() == 0.0
    assert 3.5 < WIND.max() <= 4.0
    assert 0.18 < WIND.mean() / 4.0 < 0.35


def test_weather_of_a_temperate_place() -> None:
    assert -15.0 < TEMPERATURE.min() < 0.0
    assert 28.0 < TEMPERATURE.max() < 42.0
    assert 15.0 < TEMPERATURE[MONTH == 7].mean() - TEMPERATURE[MONTH == 1].mean() < 22.0
    assert TEMPERATURE[HOUR == 15].mean() - TEMPERATURE[HOUR == 5].mean() > 4.0
    assert 0.0 <= CLOUD.min() < 5.0
    assert 95.0 < CLOUD.max() <= 100.0
    assert SPEED.min() >= 0.0
    assert 5.0 < SPEED.mean() < 8.5


def test_the_sun_shines_by_day_and_through_gaps_in_the_clouds() -> None:
    assert IRRADIANCE[(HOUR < 4) | (HOUR > 22.5)].max() == 0.0
    assert 850.0 < IRRADIANCE.max() < 1100.0
    summer_noon = (HOUR == 13) & (MONTH == 6)
    assert corr(IRRADIANCE[summer_noon], CLOUD[summer_noon]) < -0.8
    assert IRRADIANCE[MONTH == 6].mean() > 3.0 * IRRADIANCE[MONTH == 12].mean()


def test_power_follows_the_weather() -> None:
    day = IRRADIANCE > 50
    assert corr(PV[day], IRRADIANCE[day]) > 0.97
    assert PV[IRRADIANCE == 0.0].max() == 0.0
    assert WIND[SPEED < 2.0].max() == 0.0
    assert WIND[(SPEED > 14.0) & (SPEED < 19.0)].min() > 2.9


def test_the_load_follows_habits_and_temperature() -> None:
    workday = (WEEKDAY < 5) & ~HOLIDAY
    assert LOAD[workday & (HOUR == 19)].mean() > 1.5 * LOAD[workday & (HOUR == 3)].mean()
    for day_off in (WEEKDAY == 6, HOLIDAY & (WEEKDAY < 5)):
        assert LOAD[day_off & (HOUR == 9)].mean() < 0.97 * LOAD[workday & (HOUR == 9)].mean()
    cold, warm = LOAD[TEMPERATURE < 2.0].mean(), LOAD[np.abs(TEMPERATURE - 18.0) < 2.0].mean()
    assert cold > 1.3 * warm
    hot = (TEMPERATURE > 28.0) & (HOUR > 12)
    mild = (np.abs(TEMPERATURE - 20.0) < 2.0) & (HOUR > 12) & (HOUR < 20)
    assert LOAD[hot].mean() > 1.03 * LOAD[mild].mean()


def test_the_local_clock_moves_the_morning() -> None:
    """With summer time the rise of the morning comes one hour earlier in UTC."""
    change = int(np.datetime64("2023-03-26T01:00", "s").astype(int))
    workday = (WEEKDAY < 5) & ~HOLIDAY

    def rise(since: int, until: int) -> float:
        days = workday & (since <= TIMES) & (until > TIMES)
        clock = TIMES % DAY_S // 3600
        four, one = LOAD[days & (clock == 4)], LOAD[days & (clock == 1)]
        return float(four.mean() / one.mean())

    assert rise(change, change + 14 * DAY_S) > 1.05 * rise(change - 14 * DAY_S, change)


def test_yesterday_is_a_fair_forecast_and_not_a_perfect_one() -> None:
    week = np.abs(LOAD[336:] - LOAD[:-336]).mean() / LOAD.mean()
    day = np.abs(LOAD[48:] - LOAD[:-48]).mean() / LOAD.mean()
    assert 0.04 < day < 0.12
    assert 0.04 < week < 0.15
