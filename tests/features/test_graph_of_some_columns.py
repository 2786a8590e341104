"""A feature graph of some columns computes those as the whole graph does, and reads less."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.features.blocks.base import Reach
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import Grid, local_grid
from frugal_ai.features.recipe import Recipe

STEP, HORIZON, START, COUNT = 3600, 24, 1_704_067_200, 5
PLACES = {"places": [{"latitude": 45.75, "longitude": 4.85}]}
WIND = {"feature": "known", "names": ["u", "speed"]}
BLOCKS: list[dict[str, Any]] = [
    {"feature": "lag", "at": ["1h", "1d", "7d"], "minus_mean": "2d"},
    {"feature": "lag", "at": ["2d"], "of": "flow"},
    {"feature": "last", "steps": 3},
    {"feature": "rolling", "window": ["6h", "3d"], "stats": ["mean", "max", "std"]},
    {"feature": "daily", "days": [2, 9], "stats": ["mean", "min", "max"]},
    {"feature": "horizon"},
    {"feature": "decay", "over": ["4h"]},
    {"feature": "clock"},
    {"feature": "weekday"},
    {"feature": "fourier", "period": "year"},
    {"feature": "holiday", "days_before": [0, 1, -1], "flags": ["holiday", "bridge"]},
    {
        **WIND,
        "before": ["0d", "3h"],
        "after": ["1h"],
        "mean": ["0d", "6h", "1d"],
        "around": ["5h"],
        "origin": ["1h", "1d"],
    },
    {"feature": "static", "names": ["age"]},
    {"feature": "sun", **PLACES},
    {"feature": "clear_sky_level", "window": ["1d"], **PLACES},
    {"feature": "spline", "of": {**WIND, "mean": ["0d", "2d"]}, "pieces": 2},
    {
        "feature": "product",
        "of": {"feature": "product", "of": WIND, "by": {"feature": "daily", "days": [3]}},
        "by": {"feature": "weekday"},
    },
]
DERIVED = {"speed": {"signal": "speed", "u": "u", "v": "v"}}


def graph(*blocks: dict[str, Any]) -> FeatureGraph:
    recipe = Recipe.model_validate({"features": list(blocks), "derived": DERIVED})
    grid: Grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="Europe/Paris",
        holidays="FR",
        valid_from=START,
        valid_until=START + 366 * 86400,
        known_names=("u", "v", "t"),
        past_names=("flow", "price"),
        static={"age": 3.0},
        derived=recipe.derived,
    )
    return FeatureGraph(recipe.features, grid)


WHOLE = graph(*BLOCKS)


def windows(of: FeatureGraph) -> Windows:
    """Cut what a graph reads out of the same series for every graph."""
    rng = np.random.default_rng(0)
    history = rng.normal(5, 2, (COUNT, 400)).astype(np.float32)
    known = rng.normal(5, 2, (COUNT, 100 + HORIZON, 3)).astype(np.float32)
    past = rng.normal(5, 2, (COUNT, 400, 2)).astype(np.float32)
    reach, names = of.reach, of.inputs
    steps = max(reach.history, 1)
    return Windows(
        history=history[:, -steps:],
        origin=START + 86400 * np.arange(100, 100 + 13 * COUNT, 13, dtype=np.int64),
        known=known[
            :, 100 - reach.lookback :, [("u", "v", "t").index(n) for n in names.known_names]
        ],
        past=past[:, -steps:, [("flow", "price").index(n) for n in names.past_names]],
    )


ALL = WHOLE.transform(windows(WHOLE))


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, len(WHOLE.columns) - 1), min_size=1, max_size=12))
def test_some_columns_are_what_they_were(chosen: set[int]) -> None:
    columns = sorted(chosen)
    some = WHOLE.only(columns)
    assert some.columns == tuple(WHOLE.columns[i] for i in columns)
    got = some.transform(windows(some))
    sunny = np.array(["sun" in name or "sky" in name for name in some.columns])
    expected = ALL[:, :, columns]
    np.testing.assert_array_max_ulp(got[:, :, ~sunny], expected[:, :, ~sunny], maxulp=1)
    # more days stand side by side where the sun of the last days counts, and are summed otherwise
    np.testing.assert_allclose(got[:, :, sunny], expected[:, :, sunny], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "reach"),
    [
        ("last_2", Reach(history=2)),
        ("lag_1h_minus_mean_2d", Reach(history=48)),
        ("lag_7d_minus_mean_2d", Reach(history=168)),
        ("flow_lag_2d", Reach(history=48, past=frozenset({"flow"}))),
        ("daily_mean_2d", Reach(history=48)),
        ("max_6h", Reach(history=6)),
        ("weekday_mon", Reach()),
        ("u_mean_6h", Reach(lookback=5, known=frozenset({"u"}))),
        ("speed_3h_before", Reach(lookback=3, known=frozenset({"u", "v"}))),
        ("u_mean_2d_above_knot_1", Reach(lookback=47, known=frozenset({"u"}))),
        ("u_x_daily_mean_3d_x_weekday_tue", Reach(history=72, known=frozenset({"u"}))),
        ("age", Reach(static=frozenset({"age"}))),
    ],
)
def test_what_nobody_reads_is_not_asked_for(name: str, reach: Reach) -> None:
    assert WHOLE.only([WHOLE.columns.index(name)]).reach == reach


def test_some_of_some() -> None:
    some = WHOLE.only([3, 8, 20, 40]).only([1, 3])
    assert some.columns == (WHOLE.columns[8], WHOLE.columns[40])


def test_equal_columns_of_different_blocks_are_computed_once() -> None:
    spline = {"feature": "spline", "of": {**WIND, "mean": ["6h"]}, "pieces": 2}
    double = graph({**WIND, "mean": ["6h"]}, spline, spline)
    frame, _ = double.build()
    assert frame.grid.known_names == ("u", "v")
    assert len(double.columns) == 2 + 6 + 6
    got = double.transform(windows(double))
    np.testing.assert_array_equal(got[:, :, :2], got[:, :, 2:4])
    np.testing.assert_array_equal(got[:, :, 2:8], got[:, :, 8:])
