"""Carbon intensity of a grid: its own week, the clock, and what its plants did lately."""

from frugal_ai.features.recipe import Recipe
from frugal_ai.recipes.setting import Blocks, Setting, days, known, product, spline

_QUARTER, _YEAR = 90, 400  # [days]


def recipe(setting: Setting) -> Recipe:
    """Return features and basis for carbon intensity.

    Past covariates, such as production by kind of plant, tell what runs at the margin now. Several
    origins a day share their weights, so that the basis knows the hour of the target.
    """
    return Recipe.model_validate(
        {
            "features": _series(setting)
            + _plants(setting)
            + _calendar(setting)
            + _weather(setting),
            "basis": _basis(setting),
        }
    )


def _series(setting: Setting) -> Blocks:
    long = setting.longer_than(_QUARTER)
    lags = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28] if long else [1, 2, 3, 7]
    return [
        {"feature": "lag", "at": [days(lag) for lag in lags], "minus_mean": "7d"},
        {"feature": "daily", "days": [7, 28] if long else [7]},
        {"feature": "last", "steps": 4},
        {"feature": "rolling", "window": setting.durations("6h", "12h", "1d", "2d", "7d")},
    ]


def _plants(setting: Setting) -> Blocks:
    windows = setting.durations("12h", "1d", "7d")
    return [
        block
        for name in setting.past
        for block in (
            {"feature": "last", "steps": 1, "of": name},
            {"feature": "lag", "at": ["1d", "7d"], "of": name},
            {"feature": "rolling", "window": windows, "of": name},
        )
    ]


def _calendar(setting: Setting) -> Blocks:
    blocks: Blocks = [{"feature": "clock"}, {"feature": "horizon"}]
    if setting.holidays:
        blocks.append({"feature": "holiday", "days_before": [0]})
    return blocks


def _weather(setting: Setting) -> Blocks:
    main = setting.mains("wind_speed", "irradiance", "cloud_cover", "temperature")
    return [*known(list(setting.known)), *known(main, before=["1d"])]


def _basis(setting: Setting) -> Blocks:
    weekday: Blocks = [{"feature": "weekday"}]
    if not setting.longer_than(_QUARTER):
        return weekday
    hour: Blocks = [{"feature": "fourier", "period": "day", "harmonics": 3}]
    level: Blocks = [
        {"feature": "last", "steps": 1},
        {"feature": "rolling", "window": ["1d", "7d"]},
    ]
    plants: Blocks = [
        block
        for name in setting.past
        for block in (
            {"feature": "last", "steps": 1, "of": name},
            {"feature": "rolling", "window": ["1d"], "of": name},
        )
    ]
    blocks = weekday + hour + product(hour, weekday + level + plants)
    if setting.longer_than(_YEAR):
        season: Blocks = [{"feature": "fourier", "period": "year", "harmonics": 2}]
        blocks += season + product(hour, season)
    return blocks + spline(setting.mains("wind_speed"), 3) + spline(setting.mains("temperature"), 3)
