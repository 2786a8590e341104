"""Load: its own week, the local calendar, and what weather does to heating, cooling and light."""

from frugal_ai.features.recipe import Recipe
from frugal_ai.recipes.setting import Blocks, Setting, days, known, product, spline

_QUARTER, _YEAR = 90, 400  # [days]
_WEEKDAY: Blocks = [{"feature": "weekday"}]


def recipe(setting: Setting) -> Recipe:
    """Return features and basis for load.

    A short history gets short lags, no season of the year and fewer interactions.
    """
    return Recipe.model_validate(
        {
            "features": _series(setting) + _calendar(setting) + _weather(setting),
            "basis": _calendar_basis(setting) + _weather_basis(setting),
        }
    )


def _series(setting: Setting) -> Blocks:
    lags = [1, 2, 3, 4, 5, 6, 7] if setting.longer_than(_QUARTER) else [1, 2, 3, 7]
    lags += [14] if setting.longer_than(_QUARTER) else []
    lags += [21, 28] if setting.longer_than(_YEAR) else []
    windows = setting.durations("6h", "12h", "1d", "2d", "7d")
    return [
        {"feature": "lag", "at": [days(lag) for lag in lags], "minus_mean": "7d"},
        {"feature": "last", "steps": 4},
        {"feature": "rolling", "window": windows},
    ]


def _calendar(setting: Setting) -> Blocks:
    blocks: Blocks = [{"feature": "clock"}, {"feature": "horizon"}]
    if setting.holidays:
        blocks.append({"feature": "holiday", "days_before": [0, 1, 2, 7]})
        blocks.append({"feature": "holiday", "days_before": [0], "flags": ["bridge"]})
    if setting.holidays and setting.longer_than(_YEAR):
        blocks.append({"feature": "holiday", "days_before": [0, 7], "flags": ["yearend"]})
    return blocks


def _weather(setting: Setting) -> Blocks:
    main = setting.mains("temperature")
    others = setting.mains("cloud_cover", "wind_speed")
    return [
        *known(list(setting.known)),
        *known(main, mean=["1d", "3d"]),
        *known(others, before=["1d", "7d"]),
    ]


def _calendar_basis(setting: Setting) -> Blocks:
    blocks = list(_WEEKDAY)
    if not setting.longer_than(_QUARTER):
        return blocks
    level: Blocks = [{"feature": "rolling", "window": ["1d", "7d"]}]
    blocks += product(level, _WEEKDAY)
    if setting.longer_than(_YEAR):
        blocks.append({"feature": "fourier", "period": "year", "harmonics": 4})
    if setting.holidays:
        # a day off changes a Monday more than a Sunday, and the days beside it as well
        off: Blocks = [{"feature": "holiday", "days_before": [0, 1]}]
        rare: Blocks = [{"feature": "holiday", "days_before": [0], "flags": ["bridge", "yearend"]}]
        blocks.append({"feature": "holiday", "days_before": [-1]})
        blocks += product(off, _WEEKDAY)
        blocks += product(rare, _WEEKDAY) if setting.longer_than(_YEAR) else []
    return blocks


def _weather_basis(setting: Setting) -> Blocks:
    main = setting.mains("temperature")
    if not main:
        return []
    if not setting.longer_than(_QUARTER):
        return spline(main, 3)
    # what yesterday's load owes to yesterday's weather is taken off, kink for kink
    return [
        *spline(main, 7, mean=["0d", "1d", "3d"]),
        *spline(main, 2, before=["1d", "2d", "7d"], mean=["0d", "1d"]),
        *product(spline(main, 2), known(setting.mains("wind_speed", "cloud_cover"))),
    ]
