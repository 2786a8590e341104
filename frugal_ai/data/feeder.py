"""A simulated medium-voltage feeder: weather, and the load, PV and wind power that follow it.

No model of a real place: a plausible one, so that a pipeline can be tried without data.
"""

from dataclasses import dataclass

import numpy as np

from frugal_ai.data.calendar import DAY_S, holiday_days, local_seconds
from frugal_ai.data.noise import autoregressive, lagged, uniform, white
from frugal_ai.data.panel import FloatArray, IntArray
from frugal_ai.data.sun import clear_sky_irradiance, cloudy_irradiance, cos_zenith, year_angle

PV_MW, WIND_MW = 3.0, 4.0
"""Installed capacity [MW]."""
LOAD_MW = 10.0
"""Rating of the feeder [MW]."""

# one stream of noise for each process; a process keeps its own when others come and go
(
    _CLOUD_SLOW, _CLOUD_FAST, _WARM_SLOW, _WARM_FAST, _WIND_SLOW, _WIND_FAST,
    _PV_NOISE, _FARM_NOISE, _LOAD_SLOW, _LOAD_FAST, _LOAD_WHITE, _OUTAGES,
) = range(12)  # fmt: skip

# hourly profiles on the local clock, mean about 1: people, shops and workshops of a small town
_WORKDAY = (
    0.72, 0.67, 0.64, 0.63, 0.65, 0.73, 0.90, 1.08, 1.16, 1.15, 1.14, 1.15,
    1.19, 1.15, 1.10, 1.07, 1.06, 1.10, 1.20, 1.27, 1.22, 1.10, 0.96, 0.83,
)  # fmt: skip
_SATURDAY = (
    0.76, 0.70, 0.66, 0.64, 0.64, 0.67, 0.74, 0.86, 0.98, 1.06, 1.09, 1.11,
    1.14, 1.08, 1.01, 0.98, 0.98, 1.03, 1.13, 1.20, 1.14, 1.03, 0.93, 0.83,
)  # fmt: skip
_SUNDAY = (
    0.76, 0.70, 0.66, 0.63, 0.62, 0.63, 0.67, 0.75, 0.86, 0.95, 1.01, 1.06,
    1.10, 1.02, 0.93, 0.89, 0.89, 0.95, 1.06, 1.16, 1.12, 1.02, 0.91, 0.80,
)  # fmt: skip
_HEATING = (
    0.85, 0.83, 0.82, 0.83, 0.88, 1.00, 1.18, 1.25, 1.18, 1.08, 1.02, 0.98,
    0.97, 0.95, 0.94, 0.94, 0.98, 1.06, 1.14, 1.16, 1.12, 1.05, 0.96, 0.89,
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Where the feeder lies.

    Attributes
    ----------
    latitude, longitude
        North and east positive [degrees].
    timezone, holidays
        Of the people who live there.
    """

    latitude: float = 45.75
    longitude: float = 4.85
    timezone: str = "Europe/Paris"
    holidays: str = "FR"


@dataclass(frozen=True)
class Weather:
    """Weather at each interval [T].

    Attributes
    ----------
    temperature
        Of the air [degC].
    irradiance
        Global horizontal, mean of the interval [W/m2].
    cloud_cover
        Share of the sky [%].
    wind_speed
        At the height of the hubs [m/s].
    """

    temperature: FloatArray
    irradiance: FloatArray
    cloud_cover: FloatArray
    wind_speed: FloatArray


def simulate_weather(times: IntArray, step_s: int, site: Site, seed: int) -> Weather:
    """Simulate the weather of the intervals that start at `times` [unix s]."""
    hour, n = 3600 / step_s, len(times)
    middle = times + step_s // 2
    season = np.cos(year_angle(middle) - 2.0 * np.pi * 200 / 365)  # 1 in mid-July
    low = autoregressive(seed, _CLOUD_SLOW, n, 30 * hour)  # passing depressions
    sky = 0.8 * low + 0.6 * autoregressive(seed, _CLOUD_FAST, n, 3 * hour) - 0.35 * season
    cover = uniform(1.5 * (sky + 0.15))
    clear = clear_sky_irradiance(cos_zenith(middle, site.latitude, site.longitude))
    return Weather(
        temperature=_temperature(middle, hour, season, lagged(cover, 12 * hour), site, seed),
        irradiance=cloudy_irradiance(clear, cover),
        cloud_cover=100.0 * cover,
        wind_speed=_wind_speed(n, hour, season, low, seed),
    )


def _temperature(
    middle: IntArray, hour: float, season: FloatArray, cover: FloatArray, site: Site, seed: int
) -> FloatArray:
    """Return air temperature [degC]: season, days warmest at 15 h under clear skies, air masses."""
    solar = 2.0 * np.pi * (middle % DAY_S / DAY_S + site.longitude / 360.0)
    swing = (3.5 + 2.0 * season) * (1.15 - 0.8 * cover)
    air_mass = 3.0 * autoregressive(seed, _WARM_SLOW, len(middle), 80 * hour)
    gusts = 0.6 * autoregressive(seed, _WARM_FAST, len(middle), 5 * hour)
    temperature: FloatArray = (
        12.5 + 9.0 * season + swing * np.cos(solar - 2.0 * np.pi * 15 / 24) + air_mass + gusts
    )
    return temperature


def _wind_speed(n: int, hour: float, season: FloatArray, low: FloatArray, seed: int) -> FloatArray:
    """Return wind speed [m/s], Weibull-distributed of shape 2, stronger in winter and in lows."""
    slow = autoregressive(seed, _WIND_SLOW, n, 16 * hour)
    fast = autoregressive(seed, _WIND_FAST, n, 4 * hour)
    level = uniform(0.35 * low + 0.88 * slow + 0.32 * fast)
    speed: FloatArray = (7.6 - 1.1 * season) * np.sqrt(-np.log1p(-np.minimum(level, 1.0 - 1e-9)))
    return speed


def pv_power(weather: Weather, step_s: int, seed: int) -> FloatArray:
    """Simulate PV power [MW].

    Modules lose 0.4 % per degree above 25 degC and are 31 degC warmer than the air at 1000 W/m2
    (nominal operating cell temperature 45 degC). Broken clouds make it flicker.
    """
    cover = weather.cloud_cover / 100.0
    module = weather.temperature + 0.031 * weather.irradiance
    flicker = autoregressive(seed, _PV_NOISE, len(cover), 3600 / step_s)
    share = 0.9 * weather.irradiance / 1000.0 * (1.0 - 0.004 * (module - 25.0))
    return PV_MW * np.clip(share * (1.0 + 0.28 * cover * (1.0 - cover) * flicker), 0.0, 1.0)


def wind_power(weather: Weather, step_s: int, seed: int) -> FloatArray:
    """Simulate wind power [MW]: cut-in 3 m/s, rated 12 m/s, and a soft cut-out at 24 m/s."""
    n, hour = len(weather.wind_speed), 3600 / step_s
    local = weather.wind_speed * (1.0 + 0.07 * autoregressive(seed, _FARM_NOISE, n, 4 * hour))
    share = np.clip((local**3 - 3.0**3) / (12.0**3 - 3.0**3), 0.0, 1.0)
    share *= np.clip((26.0 - local) / 4.0, 0.0, 1.0)
    standing = uniform(autoregressive(seed, _OUTAGES, n, 60 * hour)) < 0.06
    return WIND_MW * share * np.where(standing, 0.75, 0.98)  # one turbine of four at a time


def load_power(times: IntArray, weather: Weather, step_s: int, site: Site, seed: int) -> FloatArray:
    """Simulate load [MW]: habits on the local clock, heating, cooling, light and noise."""
    n, hour = len(times), 3600 / step_s
    local = local_seconds(site.timezone, times + step_s // 2)
    day_hour = local % DAY_S / 3600.0
    habits = 3.9 * _habits(local, day_hour, site)
    indoor = 0.25 * weather.temperature + 0.75 * lagged(weather.temperature, 24 * hour)
    heating = 0.17 * _hinge(15.0 - indoor, 1.0) * _profile(_HEATING, day_hour)
    awake = _profile(_WORKDAY, day_hour)
    cooling = 0.16 * _hinge(0.5 * (weather.temperature + indoor) - 23.0, 1.0) * awake
    light = 0.25 * awake * np.exp(-weather.irradiance / 60.0) * (day_hour > 5.0)
    noise = (
        0.020 * autoregressive(seed, _LOAD_SLOW, n, 30 * hour)
        + 0.016 * autoregressive(seed, _LOAD_FAST, n, 3 * hour)
        + 0.010 * white(seed, _LOAD_WHITE, n)
    )
    load: FloatArray = (habits + heating + cooling + light) * (1.0 + noise)
    return load


def _habits(local: IntArray, day_hour: FloatArray, site: Site) -> FloatArray:
    """Return the weekly rhythm, lower on days off, in August and at the end of the year."""
    day = local // DAY_S  # days since 1970-01-01, a Thursday
    weekday = (day + 3) % 7
    years = 1970 + day[[0, -1]].astype("datetime64[D]").astype("datetime64[Y]").astype(int)
    off = (weekday == 6) | np.isin(day, holiday_days(site.holidays, *years.tolist()))
    rhythm = np.where(
        off,
        _profile(_SUNDAY, day_hour),
        np.where(weekday == 5, _profile(_SATURDAY, day_hour), _profile(_WORKDAY, day_hour)),
    )
    dates = day.astype("datetime64[D]")
    of_year = (dates - dates.astype("datetime64[Y]")).astype(int)
    to_new_year = (of_year + 182) % 365 - 182  # [days], negative before it
    august = 0.10 * np.exp(-(((of_year - 226) / 12.0) ** 2))
    year_end = 0.08 * np.exp(-(((to_new_year + 2) / 6.0) ** 2))
    quiet: FloatArray = rhythm * (1.0 - august - year_end)
    return quiet


def _profile(hourly: tuple[float, ...], day_hour: FloatArray) -> FloatArray:
    """Read an hourly profile at hours of the day, on straight lines between full hours."""
    return np.interp(day_hour, np.arange(25), [*hourly, hourly[0]])


def _hinge(excess: FloatArray, softness: float) -> FloatArray:
    """Return the positive part, rounded at the corner as by many unlike buildings."""
    rounded: FloatArray = softness * np.logaddexp(0.0, excess / softness)
    return rounded
