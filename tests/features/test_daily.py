"""What the series did at the same time of day, what decays, against plain numpy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from frugal_ai.errors import PipelineError
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

COUNT, START = 12, 1_704_067_200
PAST = ("flow",)


def graph_of(block: dict[str, Any], step: int = 3600, horizon: int = 24) -> FeatureGraph:
    grid = local_grid(
        step_s=step,
        horizon=horizon,
        timezone="UTC",
        holidays=None,
        valid_from=START,
        valid_until=START + 366 * 86400,
        past_names=PAST,
    )
    return FeatureGraph(Recipe.model_validate({"features": [block]}).features, grid)


def windows(graph: FeatureGraph) -> Windows:
    rng = np.random.default_rng(0)
    steps, horizon = max(graph.reach.history, 1), graph.grid.horizon
    return Windows(
        history=rng.normal(50, 10, (COUNT, steps)).astype(np.float32),
        origin=START + 86400 * np.arange(COUNT, dtype=np.int64),
        known=np.zeros((COUNT, horizon, 0), np.float32),
        past=rng.normal(0, 1, (COUNT, steps, len(graph.inputs.past_names))).astype(np.float32),
    )


def known_days(
    series: NDArray[np.float32], horizon: int, days: int, day: int
) -> NDArray[np.float64]:
    """Values at each target's time of day on the last days before the origin, [B, H, days]."""
    count, steps = series.shape
    found = np.empty((count, horizon, days))
    for h in range(horizon):
        at = [t for t in range(steps - 1, -1, -1) if (t - steps - h) % day == 0]
        found[:, h] = series[:, at[:days]]
    return found


@pytest.mark.parametrize(
    ("step", "horizon"), [(3600, 24), (1800, 48), (900, 96), (3600, 6), (3600, 60)]
)
@pytest.mark.parametrize("of", ["target", "flow"])
def test_the_last_days_that_are_known_at_the_time_of_day(step: int, horizon: int, of: str) -> None:
    block = {"feature": "daily", "days": [2, 5], "stats": ["mean", "min", "max"], "of": of}
    graph = graph_of(block, step, horizon)
    cut = windows(graph)
    got = graph.transform(cut)
    series, day = cut.history if of == "target" else cut.past[:, :, 0], 86400 // step
    for i, days in enumerate((2, 5)):
        seen = known_days(series, horizon, days, day)
        for j, statistic in enumerate((np.mean, np.min, np.max)):
            expected = statistic(seen, axis=2)  # type: ignore[operator]  # numpy's overloads
            np.testing.assert_allclose(got[:, :, 3 * i + j], expected, rtol=3e-7, atol=1e-6)
    prefix = "" if of == "target" else "flow_"
    assert graph.columns[:3] == tuple(f"{prefix}daily_{s}_2d" for s in ("mean", "min", "max"))


def test_it_reads_no_further_back_than_it_must() -> None:
    assert graph_of({"feature": "daily", "days": [3]}).reach.history == 3 * 24
    assert graph_of({"feature": "daily", "days": [3]}, horizon=36).reach.history == 3 * 24


@pytest.mark.parametrize(
    "wrong", [{"days": []}, {"days": [0]}, {"days": [1], "stats": ["std"]}, {"days": ["1d"]}]
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        graph_of({"feature": "daily", **wrong})


def test_what_is_left_of_the_origin_decays_by_lead_time() -> None:
    graph = graph_of({"feature": "decay", "over": ["4h", "1d"]}, 1800, 48)
    got = graph.transform(windows(graph))
    lead_h = np.arange(48) / 2
    for k, hours in enumerate((4, 24)):
        expected = np.tile(np.exp(-lead_h / hours), (COUNT, 1))
        np.testing.assert_allclose(got[:, :, k], expected, rtol=2e-7)
    assert graph.columns == ("decay_4h", "decay_1d")
    assert (got[:, 0] == 1).all()


@pytest.mark.parametrize(
    ("over", "said"), [("20min", "a multiple of the step"), ("0d", "at least one step, got 0d")]
)
def test_a_decay_off_the_grid_is_refused(over: str, said: str) -> None:
    with pytest.raises(PipelineError, match=f"decay.over: expected {said}"):
        _ = graph_of({"feature": "decay", "over": [over]}).columns
