"""Features in numpy against the feature graph, which shares no code with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.edge.plan import plan_of
from benchmarks.edge.variants import VARIANTS, Variant
from benchmarks.edge.workers.features import Features
from frugal_ai.backtest.windows import Series
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.recipe import Recipe
from frugal_ai.pipeline import read_pipeline
from frugal_ai.prepare import prepare, task

SHARED = Path(__file__).parents[3] / "shared" / "data"


def features_of(path: Path) -> tuple[FeatureGraph, Series, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return what trees read, and where from."""
    pipeline = read_pipeline(path)
    prepared = prepare(pipeline, path.parent, {}, lambda _: None)
    common = task(pipeline, prepared).seen_by(pipeline.rungs[-1])
    graph = FeatureGraph(common.recipe.features, prepared.grids[0])
    return graph, prepared.series[0], prepared.split.test


def computed(graph: FeatureGraph, series: Series, origins: Any) -> tuple[Any, Any]:
    """Compute the same by numpy, its plan as a file holds it, and by the graph."""
    windows = series.windows(origins, graph.reach)
    features = Features(json.loads(json.dumps(plan_of(graph))))
    found = [
        features(history, int(origin), known)
        for history, origin, known in zip(
            windows.history, windows.origin, windows.known, strict=True
        )
    ]
    return np.stack(found), graph.transform(windows)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_feature_is_that_of_the_graph(variant: Variant, tmp_path: Path) -> None:
    if variant.source.parent.name == "tasks" and not SHARED.is_dir():
        pytest.skip("the folder shared with data is not beside the repository")
    path = tmp_path / "variant.yaml"
    path.write_text(variant.text(), encoding="utf-8")
    graph, series, origins = features_of(path)
    got, expected = computed(graph, series, origins)
    assert got.shape == (len(origins), graph.grid.horizon, len(graph.columns))
    scale = np.abs(expected).max(axis=(0, 1))
    # the graph lets the sun of a day move evenly, which is good to 3e-5
    sunny = np.array(["sun" in name or "clear_sky" in name for name in graph.columns])
    allowed = np.where(sunny, 3e-5, 1e-6) * scale + 1e-9
    np.testing.assert_array_less(np.abs(got - expected).max(axis=(0, 1)), allowed)


@pytest.fixture(scope="module")
def small(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[FeatureGraph, Series, Any]:
    path = tmp_path_factory.mktemp("edge") / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings), encoding="utf-8")
    return features_of(path)


def test_waves_of_the_local_day_across_a_clock_change(
    small: tuple[FeatureGraph, Series, Any],
) -> None:
    graph, series, _ = small
    origins = np.array([1679698800, 1679785200])  # the days around 26 March 2023 in Paris
    got, expected = computed(graph, series, origins)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"feature": "lag", "at": ["30min"]}, "expected lags of a horizon or more, got 1 steps"),
        ({"feature": "rolling", "window": ["1d"], "stats": ["max"]}, "expected the mean alone"),
        ({"feature": "known", "names": ["temperature"], "origin": ["1d"]}, "expected no means"),
    ],
)
def test_what_is_not_written_in_numpy_is_refused(
    small: tuple[FeatureGraph, Series, Any], block: dict[str, Any], said: str
) -> None:
    blocks = Recipe.model_validate({"features": [block]}).features
    plan = json.loads(json.dumps(plan_of(FeatureGraph(blocks, small[0].grid))))
    with pytest.raises(ValueError, match=said):
        Features(plan)


def test_a_target_in_units_of_its_own_is_refused(small: tuple[FeatureGraph, Series, Any]) -> None:
    graph = replace(small[0], grid=replace(small[0].grid, scale=2.0))
    with pytest.raises(ValueError, match="expected a target in its own unit"):
        plan_of(graph)
