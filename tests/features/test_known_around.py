"""Known covariates after and around the target and before the origin, and knots by percentiles."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from frugal_ai.errors import PipelineError
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

STEP, HORIZON, COUNT, START = 1800, 24, 10, 1_704_067_200
NAMES = ("temperature", "wind")
PERCENTILES = {
    "temperature": np.percentile(np.random.default_rng(3).normal(10, 8, 5000), np.arange(101)),
    "wind": np.percentile(np.random.default_rng(4).gamma(2, 4, 5000), np.arange(101)),
}


def graph_of(*blocks: dict[str, Any]) -> FeatureGraph:
    grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="UTC",
        holidays=None,
        valid_from=START,
        valid_until=START + 366 * 86400,
        known_names=NAMES,
    )
    recipe = Recipe.model_validate({"features": list(blocks)})
    return FeatureGraph(recipe.features, replace(grid, percentiles=PERCENTILES))


def computed(*blocks: dict[str, Any]) -> tuple[FeatureGraph, NDArray[Any], NDArray[np.float32]]:
    """Return the graph, known covariates [B, L+H, 2] and the features."""
    graph, rng = graph_of(*blocks), np.random.default_rng(0)
    span = graph.reach.lookback + HORIZON
    known = rng.normal(10, 8, (COUNT, span, 2)).astype(np.float32)
    index = [NAMES.index(name) for name in graph.inputs.known_names]
    cut = Windows(
        history=np.zeros((COUNT, max(graph.reach.history, 1)), np.float32),
        origin=START + 86400 * np.arange(COUNT, dtype=np.int64),
        known=known[:, :, index],
        past=np.zeros((COUNT, 1, 0), np.float32),
    )
    return graph, known.astype(np.float64), graph.transform(cut)


def known(**how: Any) -> dict[str, Any]:
    return {"feature": "known", "names": ["wind"], "before": [], **how}


def at(values: NDArray[Any], lookback: int, step: int) -> NDArray[Any]:
    """Wind at a step from the origin on; the last one stands for those after the horizon."""
    return np.asarray(values[:, min(lookback + step, lookback + HORIZON - 1), 1])


def test_after_reads_ahead_and_stays_at_the_end_of_the_horizon() -> None:
    graph, values, got = computed(known(after=["30min", "2h"]))
    assert graph.columns == ("wind_30min_after", "wind_2h_after")
    assert graph.reach.lookback == 0
    for k, steps in enumerate((1, 4)):
        for h in range(HORIZON):
            np.testing.assert_array_equal(got[:, h, k], at(values, 0, h + steps))


@pytest.mark.parametrize(("window", "half"), [("1h", 1), ("3h", 3), ("90min", 1), ("30min", 0)])
def test_around_has_the_target_in_its_middle(window: str, half: int) -> None:
    graph, values, got = computed(known(around=[window]))
    lookback = graph.reach.lookback
    assert lookback == half
    for h in range(HORIZON):
        near = [at(values, lookback, h + k) for k in range(-half, half + 1)]
        np.testing.assert_allclose(got[:, h, 0], np.mean(near, axis=0), rtol=1e-6, atol=1e-5)


def test_origin_averages_what_made_the_last_observations() -> None:
    graph, values, got = computed(known(origin=["30min", "6h"]), {"feature": "horizon"})
    assert graph.columns[:2] == ("wind_before_origin_30min", "wind_before_origin_6h")
    assert graph.reach.lookback == 12
    for k, steps in enumerate((1, 12)):
        expected = values[:, 12 - steps : 12, 1].mean(axis=1)
        np.testing.assert_allclose(got[:, :, k], np.tile(expected[:, None], HORIZON), rtol=1e-6)


def test_ways_stand_in_the_order_of_the_names() -> None:
    blocks = {
        "feature": "known",
        "names": ["wind", "temperature"],
        "before": ["0d", "1h"],
        "after": ["1h"],
        "around": ["3h"],
        "origin": ["1h"],
    }
    graph, values, got = computed(blocks)
    ways = ("", "_1h_before", "_1h_after", "_around_3h", "_before_origin_1h")
    assert graph.columns == tuple(name + way for way in ways for name in ("wind", "temperature"))
    alone = computed({**blocks, "names": ["wind"]})[2]
    np.testing.assert_array_equal(got[:, :, ::2], alone)
    lookback = graph.reach.lookback
    np.testing.assert_array_equal(got[:, :, 1], values[:, lookback:, 0])


@pytest.mark.parametrize("how", ["after", "around", "origin"])
def test_a_window_off_the_grid_is_refused(how: str) -> None:
    with pytest.raises(PipelineError, match=f"known.{how}: expected a multiple of the step"):
        _ = graph_of(known(**{how: ["20min"]})).columns


def test_pieces_put_the_knots_in_the_middle_of_equal_shares_of_training() -> None:
    spline = {
        "feature": "spline",
        "of": {"feature": "known", "names": ["temperature", "wind"], "after": ["1h"]},
        "pieces": 4,
    }
    graph, values, got = computed(spline)
    plain = [values[:, :, 0], values[:, :, 1]]
    ahead = [np.concatenate([x[:, 2:], x[:, -1:], x[:, -1:]], axis=1) for x in plain]
    columns = plain + ahead
    assert graph.columns[:5] == (
        "temperature",
        "wind",
        "temperature_1h_after",
        "wind_1h_after",
        "temperature_above_knot_1",
    )
    for i, column in enumerate(columns):
        table = PERCENTILES[NAMES[i % 2]]
        for k in range(4):
            knot = np.percentile(table, 100 * (k + 0.5) / 4)
            expected = np.maximum(column - knot, 0)
            np.testing.assert_allclose(got[:, :, 4 + 4 * i + k], expected, atol=1e-5)


@pytest.mark.parametrize(
    "spline",
    [
        {"of": {"feature": "known", "names": ["wind"]}},
        {"of": {"feature": "known", "names": ["wind"]}, "pieces": 3, "knots": [1]},
        {"of": {"feature": "known", "names": ["wind"]}, "pieces": 0},
        {"of": {"feature": "last"}, "pieces": 3},
    ],
)
def test_a_spline_has_knots_or_pieces_of_a_known_covariate(spline: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"features": [{"feature": "spline", **spline}]})


def test_products_of_products() -> None:
    wind, temperature = ({"feature": "known", "names": [name]} for name in ("wind", "temperature"))
    inner = {"feature": "product", "of": wind, "by": temperature}
    spline = {"feature": "spline", "of": wind, "knots": [10]}
    graph, values, got = computed({"feature": "product", "of": inner, "by": spline})
    assert graph.columns == ("wind_x_temperature_x_wind", "wind_x_temperature_x_wind_above_10")
    warm, wind_ = values[:, :, 0], values[:, :, 1]
    np.testing.assert_allclose(got[:, :, 0], wind_ * warm * wind_, rtol=1e-6)
    above = np.maximum(wind_ - 10, 0)
    np.testing.assert_allclose(got[:, :, 1], wind_ * warm * above, rtol=1e-5, atol=1e-4)
