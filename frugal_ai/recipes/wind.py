"""Wind power: a power curve of wind speed, by direction and density, around the target's hour."""

from typing import Any

from frugal_ai.features.recipe import Recipe
from frugal_ai.recipes.setting import Blocks, Setting, known, product, spline

_QUARTER, _YEAR = 90, 400  # [days]
_DENSE, _SPEED = "dense_wind", "wind"
_DIRECTIONS = {"wind_sin": ("sin", 1), "wind_cos": ("cos", 1), "wind_sin_2": ("sin", 2),
               "wind_cos_2": ("cos", 2)}  # fmt: skip


def recipe(setting: Setting) -> Recipe:
    """Return features and basis for wind power.

    Wind at several heights is used as it is there; the first speed, or the one of the first
    components, is the main one. With temperature and pressure it is corrected for air density.
    """
    derived = _derived(setting)
    main = _main(setting, derived)
    around = {
        "before": ["0d", *setting.durations("1h", "2h", "3h")],
        "after": setting.durations("1h", "2h", "3h"),
        "around": setting.durations("5h", "13h"),
    }
    directions = [name for name in derived if name in _DIRECTIONS]
    speeds = [name for name in setting.of("wind_speed") if name not in main]
    features: Blocks = [
        *known(list(setting.known)),
        *known(main, **around),
        *known(directions),
        *known(speeds[:1], before=around["before"][1:], after=around["after"]),
        {"feature": "last", "steps": 2},
        {"feature": "rolling", "window": ["1d"]},
        {"feature": "decay", "over": ["4h"]},
        {"feature": "clock"},
        {"feature": "horizon"},
        *([{"feature": "static", "names": list(setting.static)}] if setting.static else []),
    ]
    basis = _basis(setting, main, directions, speeds) if main else []
    return Recipe.model_validate({"features": features, "basis": basis, "derived": derived})


def _derived(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {}
    u, v = setting.of("wind_u"), setting.of("wind_v")
    if u and v:
        # the highest level stands last, as weather services list them
        wind = {"u": u[-1], "v": v[-1]}
        for name, (wave, turns) in _DIRECTIONS.items():
            found[name] = {"signal": "direction", "wave": wave, "turns": turns, **wind}
        if not setting.of("wind_speed"):
            found[_SPEED] = {"signal": "speed", **wind}
    temperature, pressure = setting.mains("temperature"), setting.mains("pressure")
    speed = setting.of("wind_speed")[-1:] or ([_SPEED] if _SPEED in found else [])
    if speed and temperature and pressure:
        found[_DENSE] = {
            "signal": "dense_speed",
            "speed": speed[0],
            "temperature": temperature[0],
            "pressure": pressure[0],
        }
    return found


def _main(setting: Setting, derived: dict[str, Any]) -> list[str]:
    for name in (_DENSE, _SPEED):
        if name in derived:
            return [name]
    return setting.of("wind_speed")[-1:]


def _basis(setting: Setting, main: list[str], directions: list[str], speeds: list[str]) -> Blocks:
    long = setting.longer_than(_QUARTER)
    curve = spline(main, 12 if long else 6)
    coarse = spline(main, 3)
    hours = setting.durations("1h", "2h")
    left: Blocks = [{"feature": "decay", "over": ["4h"]}]
    last: Blocks = [{"feature": "last", "steps": 1}]
    blocks = [
        *curve,
        *spline(speeds[:1], 6 if long else 3),
        *spline(main, 3, before=hours, after=hours, around=setting.durations("5h", "13h")),
        *product(left, last),
        # the wind that made the last observation tells how far the power curve is off now
        *product(left, spline(main, 3, before=[], origin=[setting.step_text])),
        *known(main, before=[], origin=["1d"]),
    ]
    if not long:
        return blocks
    blocks += product(known(directions), coarse)
    blocks += product([{"feature": "fourier", "period": "day", "harmonics": 1}], known(main))
    if setting.longer_than(_YEAR):
        season: Blocks = [{"feature": "fourier", "period": "year", "harmonics": 1}]
        blocks += [*season, *product(season, known(main))]
    return blocks
