"""PV: the sun's position, what clouds leave of it, and what the plant made of it lately."""

from frugal_ai.features.recipe import Recipe
from frugal_ai.recipes.setting import Blocks, Setting, known, product, spline

_QUARTER, _YEAR = 90, 400  # [days]


def recipe(setting: Setting) -> Recipe:
    """Return features and basis for PV.

    The recent level of production per clear sky follows capacity that nobody has reported yet;
    where the place is unknown, the best of the last weeks at the time of day stands for the clear
    sky. From an origin in daylight, the last value tells how wrong the weather forecast is; at
    night it would be nothing but noise.
    """
    hours = setting.durations("1h", "2h")
    light = setting.mains("irradiance", "cloud_cover")
    season: Blocks = (
        [{"feature": "fourier", "period": "year", "harmonics": 1}]
        if setting.longer_than(_YEAR)
        else []
    )
    features: Blocks = [
        *known(list(setting.known)),
        *known(light, before=hours, after=hours, around=setting.durations("3h")),
        *known(setting.of("cloud_water"), before=hours[:1], after=hours[:1]),
        *_sky(setting),
        *_last(setting),
        {"feature": "daily", "days": [7, 28], "stats": ["mean", "max"]},
        {"feature": "lag", "at": ["1d", "2d"]},
        {"feature": "rolling", "window": ["1d", "7d"]},
        *season,
        {"feature": "clock"},
        {"feature": "horizon"},
    ]
    return Recipe.model_validate({"features": features, "basis": _basis(setting, season)})


def _last(setting: Setting) -> Blocks:
    return [{"feature": "last", "steps": 1}] if setting.daylight else []


def _sky(setting: Setting) -> Blocks:
    if setting.places is None:
        return []
    return [
        {"feature": "sun", **setting.sun},
        {"feature": "clear_sky_level", "window": ["1d", "3d", "7d"], **setting.sun},
    ]


def _basis(setting: Setting, season: Blocks) -> Blocks:
    """Write what effects that multiply each other need in a linear model."""
    light, clouds = known(setting.mains("irradiance")), known(setting.mains("cloud_cover"))
    air = known(setting.mains("humidity", "temperature"))
    around = known(setting.mains("cloud_cover"), around=setting.durations("3h"))
    if setting.places is None:
        clear: Blocks = [{"feature": "daily", "days": [28], "stats": ["max"]}]
    else:
        clear = [{"feature": "clear_sky_level", "window": ["3d"], **setting.sun}]
    return [
        *product(_last(setting), clear + light + clouds + air),
        # what water dims depends little on how much of it there is beyond some
        *product(
            clear, spline(setting.of("cloud_water"), 5 if setting.longer_than(_QUARTER) else 2)
        ),
        *product(light, light + clouds + air + season),
        *product(clear, clear + light + clouds + around + air + season),
        *product(clear, product(clouds, clouds)),
        *product(clear, product(light, light)),
    ]
