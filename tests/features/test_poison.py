"""No block sees past the origin, and no known covariate past the horizon."""

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest

from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import Grid, local_grid
from frugal_ai.features.recipe import PlainBlock, Recipe

STEP, HORIZON, DAYS = 3600, 36, 40  # more than a day, so that a lag of a day is lengthened
START = 1_704_067_200
PLACES = {"places": [{"latitude": 45.75, "longitude": 4.85}]}
KNOWN = {
    "feature": "known",
    "names": ["u", "v", "speed"],
    "before": ["0d", "3h"],
    "after": ["1h", "2d"],
    "mean": ["0d", "6h"],
    "around": ["5h", "3d"],
    "origin": ["1h", "1d"],
}
# one of each kind of block, with everything that it can read
BLOCKS: list[dict[str, Any]] = [
    {"feature": "lag", "at": ["1h", "1d", "7d"], "minus_mean": "2d"},
    {"feature": "lag", "at": ["1d"], "of": "flow"},
    {"feature": "last", "steps": 3},
    {"feature": "last", "steps": 3, "of": "flow"},
    {"feature": "rolling", "window": ["2d"], "stats": ["mean", "min", "max", "std"]},
    {"feature": "daily", "days": [1, 3], "stats": ["mean", "min", "max"]},
    {"feature": "daily", "days": [2], "of": "flow"},
    {"feature": "horizon"},
    {"feature": "decay", "over": ["4h"]},
    {"feature": "clock"},
    {"feature": "weekday"},
    {"feature": "slot"},
    {"feature": "fourier", "period": "year"},
    {"feature": "holiday", "days_before": [0, 1, -1]},
    KNOWN,
    {"feature": "static", "names": ["age"]},
    {"feature": "sun", **PLACES},
    {"feature": "clear_sky_level", "window": ["1d", "3d"], **PLACES},
    {"feature": "spline", "of": KNOWN, "pieces": 3},
    {
        "feature": "product",
        "of": {"feature": "clear_sky_level", "window": ["1d"], **PLACES},
        "by": {"feature": "product", "of": KNOWN, "by": {"feature": "daily", "days": [2]}},
    },
]
DERIVED = {"speed": {"signal": "speed", "u": "u", "v": "v"}}


def name_of(block: dict[str, Any]) -> str:
    return f"{block['feature']}{'_of_flow' if block.get('of') == 'flow' else ''}"


def series() -> Series:
    rng = np.random.default_rng(0)
    steps = DAYS * 24
    values = rng.uniform(1, 9, steps)
    panel = Panel(
        series_ids=("a",),
        start=START,
        step_s=STEP,
        values=values[None],
        known_names=("u", "v", "size"),
        known=rng.uniform(1, 9, (1, steps, 3)),
        past_names=("flow",),
        past=rng.uniform(1, 9, (1, steps, 1)),
        static_names=(),
        static=np.zeros((1, 0)),
        simulated=True,
    )
    return Series(panel, 0, values, HORIZON)


def grid(recipe: Recipe, capacity: str | None) -> Grid:
    return local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="Europe/Paris",
        holidays="FR",
        valid_from=START,
        valid_until=START + 366 * 86400,
        known_names=("u", "v", "size"),
        past_names=("flow",),
        static={"age": 3.0},
        derived=recipe.derived,
        capacity=capacity,
    )


@dataclass(frozen=True)
class Poison:
    """What comes after an origin, or after the horizon, is made absurd."""

    origin: int

    def __call__(self, one: Series) -> Series:
        at = (self.origin - START) // STEP
        values, past, known = (a.copy() for a in (one.filled, one.panel.past, one.panel.known))
        values[at:], past[:, at:], known[:, at + HORIZON :] = 1e6, -1e6, 1e6
        panel = replace(one.panel, values=values[None], past=past, known=known)
        return Series(panel, 0, values, HORIZON)


def test_every_kind_of_block_is_looked_at() -> None:
    kinds = {kind.model_fields["feature"].annotation for kind in get_args(PlainBlock)}
    there = {get_args(kind)[0] for kind in kinds}
    assert {block["feature"] for block in BLOCKS} == there | {"spline", "product"}


@pytest.mark.parametrize("capacity", [None, "size"])
@pytest.mark.parametrize("block", BLOCKS, ids=name_of)
def test_the_future_changes_no_feature(block: dict[str, Any], capacity: str | None) -> None:
    recipe = Recipe.model_validate({"features": [block], "derived": DERIVED})
    graph = FeatureGraph(recipe.features, grid(recipe, capacity))
    one = series()
    for day in (10, 25):
        origins = np.array([START + 86400 * day, START + 86400 * day + 5 * STEP])
        for origin in origins:
            clean = graph.transform(one.windows(np.array([origin]), graph.reach))
            poisoned = Poison(int(origin))(one).windows(np.array([origin]), graph.reach)
            np.testing.assert_array_equal(graph.transform(poisoned), clean)
            assert np.isfinite(clean).all()


@pytest.mark.parametrize("block", BLOCKS, ids=name_of)
def test_the_poison_works(block: dict[str, Any]) -> None:
    """What reads values is not blind: an origin an hour later does see them."""
    recipe = Recipe.model_validate({"features": [block], "derived": DERIVED})
    graph = FeatureGraph(recipe.features, grid(recipe, None))
    one, origin = series(), START + 86400 * 20
    later = np.array([origin + HORIZON * STEP + STEP])
    clean = graph.transform(one.windows(later, graph.reach))
    seen = graph.transform(Poison(origin)(one).windows(later, graph.reach))
    reads = graph.reach.history or graph.reach.known
    assert np.array_equal(seen, clean) == (not reads)
