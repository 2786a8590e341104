"""Models without the columns that they do not read forecast the same."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from frugal_ai import ladder
from frugal_ai.backtest.evaluate import SeriesModel
from frugal_ai.backtest.forecaster import OriginClocks, SeriesForecaster
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.physical import Physical
from frugal_ai.compress.columns import columns_read, narrowed, without_idle_columns
from frugal_ai.errors import RungError
from frugal_ai.export.model import to_onnx
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._levels import FittedLevels
from frugal_ai.ladder._linear import LinearModel
from frugal_ai.ladder.persistence import FirstColumn
from frugal_ai.ladder.rung import Fitted, FittedSparing, Rows

STEP, HORIZON, START, COUNT = 3600, 24, 1_704_067_200, 60
FEATURES: list[dict[str, Any]] = [
    {"feature": "rolling", "window": ["7d"]},
    {"feature": "lag", "at": ["1d", "14d"]},
    {"feature": "horizon"},
    {"feature": "known", "names": ["warm", "windy"]},
    {"feature": "weekday"},
]
RECIPE = Recipe.model_validate({"features": FEATURES, "basis": [{"feature": "last", "steps": 2}]})
IDLE = ("lag_14d", "windy")  # say nothing of the target
RUNGS: list[dict[str, Any]] = [
    {"rung": "ridge"},
    {"rung": "linear_quantiles", "iterations": 2},
    {"rung": "boosting", "trees": 8, "leaves": 4, "column_share": 1.0},
    {"rung": "boosting", "level": None, "trees": 20, "leaves": 8, "column_share": 1.0},
    {"rung": "quantile_boosting", "trees": 8, "leaves": 4, "column_share": 1.0},
    {"rung": "residual_boosting", "trees": 8, "leaves": 4, "column_share": 1.0},
    {"rung": "stacked_boosting", "trees": 8, "leaves": 4, "column_share": 1.0},
]


def graph_of(rung: dict[str, Any]) -> FeatureGraph:
    grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="Europe/Paris",
        holidays=None,
        valid_from=START,
        valid_until=START + 366 * 86400,
        known_names=("warm", "windy"),
    )
    return FeatureGraph(ladder.make(rung).blocks(RECIPE), grid)


def windows(graph: FeatureGraph) -> Windows:
    rng = np.random.default_rng(0)
    history = rng.normal(50, 10, (COUNT, 400)).astype(np.float32)
    known = rng.normal(10, 5, (COUNT, HORIZON, 2)).astype(np.float32)
    names = [("warm", "windy").index(name) for name in graph.inputs.known_names]
    return Windows(
        history=history[:, -max(graph.reach.history, 1) :],
        origin=START + 86400 * np.arange(15, 15 + COUNT, dtype=np.int64),
        known=known[:, :, names],
        past=np.zeros((COUNT, max(graph.reach.history, 1), 0), np.float32),
    )


def model_of(fitted: Fitted, graph: FeatureGraph) -> SeriesModel:
    clocks = OriginClocks.of((), STEP)
    forecaster = SeriesForecaster(fitted, None, clocks, Physical(), Limits())
    return SeriesModel(graph, forecaster, COUNT * HORIZON)


@cache
def learnt(index: int) -> SeriesModel:
    """Fit a rung to a target of some columns, and take its weights for the others away."""
    graph = graph_of(RUNGS[index])
    features = graph.transform(windows(graph))
    idle = [graph.columns.index(name) for name in IDLE]
    shown = features.copy()
    shown[:, :, idle] = 1.0  # says nothing
    target = shown[:, :, 1] + 2 * shown[:, :, 3] + shown[:, :, 5]
    target = target + np.random.default_rng(1).normal(0, 1, target.shape)
    plain = len(FeatureGraph(RECIPE.features, graph.grid).columns)
    origin = START + 86400 * np.arange(COUNT, dtype=np.int64)
    rows = Rows(shown, target.astype(np.float64), origin, STEP, plain, 0, (0.1, 0.5, 0.9))
    return model_of(ladder.make(RUNGS[index]).fit(rows), graph)


@pytest.mark.parametrize("index", range(len(RUNGS)), ids=[str(one["rung"]) for one in RUNGS])
def test_a_smaller_model_forecasts_the_same(index: int) -> None:
    model = learnt(index)
    small = without_idle_columns(model)
    left = set(small.graph.columns)
    assert not left & set(IDLE)
    assert set(small.graph.inputs.known_names) <= {"warm"}
    assert small.graph.reach.history <= 168 < model.graph.reach.history
    seen, smaller = windows(model.graph), windows(small.graph)
    expected = model.forecaster.predict(model.graph.transform(seen)).point
    got = small.forecaster.predict(small.graph.transform(smaller)).point
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    graphs = to_onnx(model), to_onnx(small)
    np.testing.assert_allclose(
        graphs[1].run(smaller)["forecast"], graphs[0].run(seen)["forecast"], rtol=2e-6
    )
    assert len(graphs[1].content) < len(graphs[0].content)
    read = columns_read(small.forecaster.fitted)
    assert read is not None
    assert read.all()


def test_quantiles_stay_too() -> None:
    for index in (1, 4):
        model = learnt(index)
        small = without_idle_columns(model)
        many, few = model.forecaster.fitted, small.forecaster.fitted
        assert isinstance(many, FittedLevels)
        assert isinstance(few, FittedLevels)
        expected = many.predict_quantiles(model.graph.transform(windows(model.graph)))
        got = few.predict_quantiles(small.graph.transform(windows(small.graph)))
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_the_lead_time_becomes_a_part_of_the_bias() -> None:
    model = learnt(0)
    read = columns_read(model.forecaster.fitted)
    assert read is not None
    assert "lead_h" in model.graph.columns
    assert "lead_h" not in without_idle_columns(model).graph.columns


def test_columns_of_plant_and_clocks_stay_last() -> None:
    model = learnt(0)
    physical = Physical(unit=True)
    graph = replace(model.graph, blocks=(*model.graph.blocks, *physical.blocks))
    forecaster = replace(model.forecaster, physical=physical)
    whole = replace(model, graph=graph, forecaster=forecaster)
    small = without_idle_columns(whole)
    assert small.graph.columns[-1] == "unit"
    assert len(small.graph.columns) < len(graph.columns)
    expected = whole.forecaster.predict(graph.transform(windows(graph))).point
    got = small.forecaster.predict(small.graph.transform(windows(small.graph))).point
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_model_that_cannot_say_or_reads_all_stays() -> None:
    graph = graph_of({"rung": "persistence"})
    repeating = model_of(FirstColumn(), graph)
    assert columns_read(FirstColumn()) is None
    assert without_idle_columns(repeating) is repeating
    full = LinearModel(
        *(np.ones(1, np.float32),) * 2, np.ones((1, 1), np.int16), np.ones(24, np.float32)
    )
    reading = model_of(full, graph)
    assert without_idle_columns(reading) is reading
    with pytest.raises(
        RungError, match="expected a model that knows what it reads, got FirstColumn"
    ):
        _ = FittedLevels(FirstColumn(), ()).reads


def test_a_model_that_reads_nothing_keeps_a_column() -> None:
    graph = graph_of({"rung": "ridge"})
    width = len(graph.columns)
    ones, weights = np.ones(width, np.float32), np.zeros((1, width), np.int16)
    small = without_idle_columns(
        model_of(LinearModel(ones, ones, weights, ones[:1].repeat(24)), graph)
    )
    assert len(small.graph.columns) == 1
    assert (small.forecaster.predict(small.graph.transform(windows(small.graph))).point == 1).all()


def test_columns_by_mask_or_by_index() -> None:
    graph = graph_of({"rung": "ridge"})
    mask = np.zeros(len(graph.columns), np.bool_)
    mask[[1, 3]] = True
    assert narrowed(graph, mask).columns == narrowed(graph, np.array([1, 3])).columns


@pytest.mark.parametrize("index", [2, 5])
def test_trees_on_fewer_columns_are_the_same_trees(index: int) -> None:
    fitted = learnt(index).forecaster.fitted
    assert isinstance(fitted, FittedSparing)
    trees = getattr(fitted, "trees")  # noqa: B009 - of several classes
    width = trees.booster.num_feature()
    columns = np.flatnonzero(trees.reads)
    assert 0 < len(columns) < width
    rows = np.random.default_rng(3).normal(30, 20, (7, 24, width)).astype(np.float32)
    kept = trees.kept(columns)
    assert kept.booster.num_feature() == len(columns)
    np.testing.assert_array_equal(kept.predict(rows[:, :, columns]), trees.predict(rows))
