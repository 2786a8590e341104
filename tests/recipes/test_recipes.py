"""Default recipes: whatever there is, they compile, and hold what the kind of target needs."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest

from frugal_ai.features.blocks.sun import Place
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import SERIES, Grid, local_grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.recipes import Kind, default_recipe
from frugal_ai.recipes.setting import Quantity, Setting, quantity_of

START = 1_704_067_200
KINDS: tuple[Kind, ...] = get_args(Kind)
FEW = ("temperature",)
MANY = ("t2m", "temp_lyon", "u10", "v10", "u100", "v100", "ws10", "ws100", "ghi", "tcc", "rh", "sp",
        "tclw", "TP")  # fmt: skip
STEPS = ("15min", "30min", "1h")
MINUTES = {"15min": 15, "30min": 30, "1h": 60}


def setting(known: tuple[str, ...] = MANY, **changes: Any) -> Setting:
    made = Setting(
        known=known,
        quantities={name: what for name in known if (what := quantity_of(name))},
        places=(Place(latitude=45.75, longitude=4.85),),
        static=(),
        holidays=True,
        step=timedelta(hours=1),
        horizon=timedelta(days=1),
        history=timedelta(days=1000),
    )
    return replace(made, **changes)


def grid(given: Setting, recipe: Recipe) -> Grid:
    return local_grid(
        step_s=given.step_s,
        horizon=given.horizon // given.step,
        timezone="Europe/Paris",
        holidays="FR" if given.holidays else None,
        valid_from=START,
        valid_until=START + 366 * 86400,
        known_names=given.known,
        static={SERIES: 0.0, "latitude": 45.0, "longitude": 5.0},
        derived=recipe.derived,
    )


def columns(kind: Kind, given: Setting, *, basis: bool = True) -> tuple[str, ...]:
    """Compile the recipe, and name what it has."""
    recipe = default_recipe(kind, given)
    blocks = (*recipe.features, *recipe.basis) if basis else recipe.features
    graph = FeatureGraph(blocks, grid(given, recipe))
    graph.build()
    return graph.columns


@pytest.mark.parametrize("days", [50, 1000])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("known", [(), FEW, MANY], ids=["none", "few", "many"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_compiles(kind: Kind, known: tuple[str, ...], step: str, days: int) -> None:
    given = setting(known, step=timedelta(minutes=MINUTES[step]), history=timedelta(days=days))
    names = columns(kind, given)
    assert len(set(names)) >= 8
    recipe = default_recipe(kind, given)
    plain = columns(kind, given, basis=False)
    assert plain == names[: len(plain)]
    assert set(known) <= set(plain)  # whatever the pipeline knows is used
    # a short history leaves fewer than it has days
    reach = FeatureGraph(recipe.features + recipe.basis, grid(given, recipe)).reach
    assert max(reach.history, reach.lookback) * given.step <= timedelta(days=0.6 * days)


# wind power has no season of its own where the wind is unknown
@pytest.mark.parametrize(("kind", "known"), [("load", FEW), ("pv", FEW), *product(KINDS, [MANY])])
def test_a_short_history_has_no_season_of_the_year(kind: Kind, known: tuple[str, ...]) -> None:
    short = columns(kind, setting(known, history=timedelta(days=50)))
    long = columns(kind, setting(known))
    assert not [name for name in short if "_year_" in name]
    assert [name for name in long if "_year_" in name]
    assert len(short) <= len(long)
    assert not [name for name in short if name.startswith("yearend")]


def test_load_has_its_week_and_its_calendar() -> None:
    names = columns("load", setting())
    assert {"lag_1d_minus_mean_7d", "lag_7d_minus_mean_7d"} <= set(names) or {
        "lag_1d",
        "lag_7d",
    } <= set(names)
    assert {"weekday_mon", "holiday", "t2m_mean_1d", "hour", "lead_h"} <= set(names)
    assert [name for name in names if name.startswith("t2m_above_knot_")]
    assert not [n for n in columns("load", setting(holidays=False)) if "holiday" in n]


def test_pv_has_the_sun_and_its_own_recent_level() -> None:
    names = set(columns("pv", setting()))
    assert {"sun_height", "clear_sky", "clear_sky_level_1d", "clear_sky_level_7d"} <= names
    assert {"ghi_1h_after", "ghi_1h_before", "daily_max_28d"} <= names
    unknown = set(columns("pv", setting(places=None)))
    assert not {"sun_height", "clear_sky", "clear_sky_level_1d"} & unknown
    assert "daily_max_28d" in unknown
    assert "sun_height" in columns("pv", setting(places="static"))


def test_pv_reads_the_last_value_where_the_sun_may_be_up() -> None:
    for places in (None, setting().places):
        lit = set(columns("pv", setting(places=places, daylight=True)))
        dark = set(columns("pv", setting(places=places, daylight=False)))
        assert {"last_1", "last_1_x_ghi", "last_1_x_tcc"} <= lit
        assert not [name for name in dark if "last_1" in name]


def test_pv_reads_the_water_in_clouds_where_it_is_known() -> None:
    names = set(columns("pv", setting()))
    assert {"tclw", "tclw_1h_before", "tclw_1h_after"} <= names
    assert [name for name in names if name.endswith("_x_tclw_above_knot_5")]
    short = columns("pv", setting(history=timedelta(days=60)))
    assert not [name for name in short if name.endswith("_x_tclw_above_knot_3")]


def test_wind_has_a_power_curve_by_direction_and_density() -> None:
    recipe = default_recipe("wind", setting())
    assert recipe.derived["wind_sin"].inputs == ("u100", "v100")
    dense = recipe.derived["dense_wind"]
    assert dense.inputs == ("ws100", "t2m", "sp")
    names = columns("wind", setting())
    assert {"dense_wind_above_knot_12", "wind_cos_2", "dense_wind_1h_after", "last_1"} <= set(names)
    without = tuple(name for name in MANY if not name.startswith("ws"))
    assert default_recipe("wind", setting(without)).derived["wind"].inputs == ("u100", "v100")
    alone = default_recipe("wind", setting(("wind_speed",)))
    assert not alone.derived
    assert "wind_speed_above_knot_12" in columns("wind", setting(("wind_speed",)))


def test_series_of_a_panel_are_told_apart() -> None:
    assert SERIES in columns("wind", setting(static=(SERIES,)))


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("temperature", "temperature"),
        ("t2m_c", "temperature"),
        ("temp_lyon", "temperature"),
        ("temperature_2m", "temperature"),
        ("wind_speed", "wind_speed"),
        ("wind_speed_10m", "wind_speed"),
        ("ws100", "wind_speed"),
        ("U100", "wind_u"),
        ("10v", "wind_v"),
        ("ghi_w_m2", "irradiance"),
        ("shortwave_radiation", "irradiance"),
        ("TCC", "cloud_cover"),
        ("cloud_cover", "cloud_cover"),
        ("tclw", "cloud_water"),
        ("cloud_ice", "cloud_water"),
        ("cloud_water_content", "cloud_water"),
        ("tcw", None),
        ("relative_humidity_2m", "humidity"),
        ("SP", "pressure"),
        ("surface_pressure", "pressure"),
        ("price", None),
        ("installed_capacity_mw", None),
        ("spread", None),
    ],
)
def test_a_name_says_what_a_covariate_is(name: str, quantity: Quantity | None) -> None:
    assert quantity_of(name) == quantity


def test_the_first_of_a_quantity_is_the_main_one() -> None:
    given = setting(("temp_paris", "temp_lyon", "ghi"))
    assert given.of("temperature") == ["temp_paris", "temp_lyon"]
    assert given.mains("temperature", "irradiance", "pressure") == ["temp_paris", "ghi"]


def test_durations_that_are_no_whole_steps_are_left_out() -> None:
    given = setting(step=timedelta(hours=3))
    assert given.durations("1h", "3h", "1d") == ["3h", "1d"]


def test_intensity_reads_what_its_plants_did() -> None:
    past = ("gas", "wind")
    given = setting((), past=past)
    recipe = default_recipe("intensity", given)
    blocks = (*recipe.features, *recipe.basis)
    graph = FeatureGraph(blocks, replace(grid(given, recipe), past_names=past))
    graph.build()
    assert {f"{name}_last_1" for name in past} <= set(graph.columns)
    assert {f"{name}_mean_7d" for name in past} <= set(graph.columns)
    assert "gas_mean_1d" in {name.rpartition("_x_")[2] for name in graph.columns if "_x_" in name}
    assert graph.reach.history == 28 * 24
    short = default_recipe("intensity", replace(given, history=timedelta(days=60)))
    assert [type(block).__name__ for block in short.basis] == ["Weekday"]
