"""A perceptron that finds out what it need not read."""

from dataclasses import replace

import numpy as np
import pytest

from frugal_ai.compress.families import CLOCK, COMPOSED, FIXED, families
from frugal_ai.compress.lean import Lean
from frugal_ai.compress.mlp import Mlp
from frugal_ai.errors import RungError
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import FittedSparing, Rows

DAY = 86400
LEAN = Lean(label="lean", mlp=Mlp(linear=2, units=2, epochs=3, seeds=1))
PLACES = [{"latitude": 45.75, "longitude": 4.85}]
BLOCKS = [
    {"feature": "lag", "at": ["1d", "7d"], "minus_mean": "7d"},
    {"feature": "rolling", "window": ["6h", "1d"], "stats": ["mean", "max"]},
    {"feature": "daily", "days": [3, 7], "stats": ["mean", "max"]},
    {"feature": "known", "names": ["wind"], "around": ["5h", "13h"]},
    {"feature": "sun", "places": PLACES},
    {"feature": "clear_sky_level", "window": ["1d"], "places": PLACES},
    {"feature": "clock"},
    {"feature": "horizon"},
    {"feature": "fourier", "period": "year", "harmonics": 1},
    {"feature": "product", "of": {"feature": "weekday"}, "by": {"feature": "last"}},
]


def rows(families_: tuple[str, ...], days: int = 200) -> Rows:
    """The first and the third feature count, each at all lead times; the second is noise."""
    x = np.random.default_rng(0).normal(size=(days, 12, 4)).astype(np.float32)
    y = 20 + 2 * x[..., 0] + x[..., 2]
    origin = DAY * np.arange(days, dtype=np.int64)
    return Rows(x, y.astype(np.float64), origin, 7200, plain=4, seed=0, families=families_)


def read(data: Rows, lean: Lean = LEAN) -> list[bool]:
    fitted = lean.fit(data)
    assert isinstance(fitted, FittedSparing)
    found: list[bool] = fitted.reads.tolist()
    return found


def test_families_are_what_a_graph_computes_together() -> None:
    recipe = Recipe.model_validate({"features": BLOCKS})
    grid = local_grid(
        step_s=3600, horizon=24, timezone="UTC", holidays=None, valid_from=0,
        valid_until=366 * DAY, known_names=("wind",),
    )  # fmt: skip
    graph = FeatureGraph(recipe.features, grid)
    found = dict(zip(graph.columns, families(graph.expressions), strict=True))
    assert found["lag_1d_minus_mean_7d"] == found["lag_7d_minus_mean_7d"]
    assert found["mean_6h"] == found["max_1d"] != found["lag_1d_minus_mean_7d"]
    daily = [name for name in found if name.startswith("daily")]
    assert len({found[name] for name in daily}) == len(daily) == 4
    assert found["wind_around_5h"] != found["wind_around_13h"]
    assert found["sun_height"] == found["clear_sky"] != found["clear_sky_level_1d"]
    assert {found["hour"], found["day_of_year"]} == {CLOCK} != {found["weekday"]}
    assert found["lead_h"] == FIXED
    assert found["sin_year_1"] == found["cos_year_1"] != found["weekday"]
    products = {family for name, family in found.items() if "_x_" in name}
    assert products == {COMPOSED}


def test_what_says_nothing_is_not_read() -> None:
    assert read(rows(("a", "b", "c", "b"))) == [True, False, True, False]


def test_a_family_stays_where_one_of_it_counts() -> None:
    assert read(rows(("a", "b", "b", "c"))) == [True, True, True, False]


def test_products_and_what_is_fixed_are_never_read() -> None:
    assert read(rows(("a", COMPOSED, FIXED, "a"))) == [True, False, False, True]


def test_the_tolerance_is_what_leaving_out_may_cost() -> None:
    generous = LEAN.model_copy(update={"tolerance": 1e6})
    assert read(rows(("a", "b", "c", "b")), generous) == [True, False, False, False]


def test_short_histories_read_all_that_is_simple() -> None:
    data = rows(("a", "b", "c", COMPOSED), days=200)
    same_week = replace(data, origin=np.arange(200, dtype=np.int64))
    assert read(same_week) == [True, True, True, False]


def test_features_without_families_are_refused() -> None:
    with pytest.raises(RungError, match="a family for each of 4 features, got 0"):
        LEAN.fit(rows(()))


def test_it_may_read_what_its_perceptron_reads() -> None:
    recipe = Recipe.model_validate({"features": BLOCKS[:1], "basis": BLOCKS[-1:]})
    assert LEAN.blocks(recipe) == recipe.features + recipe.basis
    plain = Lean(label="plain", mlp=Mlp(reads="features"))
    assert plain.blocks(recipe) == recipe.features
    assert LEAN.name == "lean"
