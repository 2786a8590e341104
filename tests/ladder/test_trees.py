from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
import spox
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.errors import RungError
from frugal_ai.ladder._trees import (
    IDENTITY_OBJECTIVES,
    TreeTable,
    floor_float32,
    to_onnx,
    tree_ensemble,
)

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

QUIET = {"verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 1}
EDGES = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1e-36, -1e-36, 1e-45, 3.4e38, -3.4e38],
    dtype=np.float32,
)


def fit(
    features: Float32, target: Float64, trees: int = 20, categorical: Any = "auto", **params: Any
) -> lightgbm.Booster:
    data = lightgbm.Dataset(features, target, categorical_feature=categorical)
    return lightgbm.train({**QUIET, **params}, data, trees)


def build(dump: dict[str, Any], n_features: int | None) -> onnx.ModelProto:
    features = spox.argument(spox.Tensor(np.float32, ("N", n_features)))
    return spox.build({"features": features}, {"forecast": to_onnx(features, dump)})


def run(model: onnx.ModelProto, features: Float32) -> Float32:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (forecast,) = session.run(None, {"features": features})
    assert forecast.shape == (len(features), 1)
    assert forecast.dtype == np.float32
    return np.asarray(forecast[:, 0])


def random_features(rng: np.random.Generator, rows: int, nan_share: float) -> Float32:
    """Eight columns: smooth, heavy-tailed, integers, zeros, constant, tiny, huge, binary."""
    features = np.stack(
        [
            rng.normal(size=rows),
            rng.standard_t(1, size=rows) * 1e6,
            rng.integers(-3, 4, size=rows),
            np.where(rng.random(rows) < 0.7, 0.0, rng.normal(size=rows)),
            np.full(rows, 7.0),
            rng.normal(size=rows) * 1e-30,
            rng.normal(size=rows) * 1e30,
            rng.random(rows) < 0.1,
        ],
        axis=1,
    ).astype(np.float32)
    features[:, :4][rng.random((rows, 4)) < nan_share] = np.nan
    return features


def random_target(rng: np.random.Generator, features: Float32, level: float) -> Float64:
    clean = np.nan_to_num(features.astype(np.float64))
    signs = np.tanh(clean) @ rng.normal(size=clean.shape[1])
    missing = np.isnan(features).sum(axis=1)
    target = level + 10 * signs + 5 * missing + rng.normal(size=len(features))
    return np.asarray(target, dtype=np.float64)


def probes(rng: np.random.Generator, features: Float32, table: TreeTable) -> Float32:
    """Rows that sit on every threshold, beside it, and on the edges of float32."""
    rows = [features]
    thresholds = table.threshold
    with np.errstate(all="ignore"):  # beside the largest and the smallest float32
        above = np.nextafter(thresholds, np.float32(np.inf))
        below = np.nextafter(thresholds, np.float32(-np.inf))
    for nudged in (thresholds, above, below):
        on_edge = features[rng.integers(len(features), size=len(thresholds))].copy()
        on_edge[np.arange(len(thresholds)), list(table.feature)] = nudged
        rows.append(on_edge)
    rows.append(rng.choice(EDGES, size=(400, features.shape[1])))
    mixed = features[:200].copy()
    mixed[rng.random(mixed.shape) < 0.3] = rng.choice(EDGES)
    rows.append(mixed)
    return np.concatenate(rows)


def assert_same(booster: lightgbm.Booster, features: Float32, model: onnx.ModelProto) -> None:
    expected = booster.predict(features)
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(run(model, features), expected, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("seed", range(12))
def test_onnx_agrees_with_lightgbm_on_thresholds_nan_and_infinity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = random_features(rng, 600, nan_share=rng.choice([0.0, 0.2]))
    target = random_target(rng, features, level=rng.choice([0.0, 5e4]))
    booster = fit(
        features,
        target,
        num_leaves=int(rng.integers(2, 40)),
        min_data_in_leaf=int(rng.integers(1, 20)),
        use_missing=bool(rng.random() < 0.8),
        min_data_in_bin=1,
    )
    dump = booster.dump_model()
    rows = probes(rng, features, tree_ensemble(dump))
    assert_same(booster, rows, build(dump, features.shape[1]))


@pytest.mark.parametrize("objective", sorted(IDENTITY_OBJECTIVES))
def test_every_supported_objective_agrees(objective: str) -> None:
    rng = np.random.default_rng(3)
    features = random_features(rng, 400, nan_share=0.1)
    target = random_target(rng, features, level=1000.0)
    booster = fit(features, target, objective=objective)
    assert_same(booster, features, build(booster.dump_model(), None))


@pytest.mark.parametrize(
    "params",
    [
        {"boosting": "dart", "drop_rate": 0.5},
        {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.5},
        {"extra_trees": True, "path_smooth": 1.0},
        {"boost_from_average": False},
        {"max_depth": 60, "num_leaves": 200, "min_data_in_leaf": 1},
    ],
    ids=lambda params: next(iter(params)),
)
def test_options_that_only_shape_the_trees_agree(params: dict[str, Any]) -> None:
    rng = np.random.default_rng(4)
    features = random_features(rng, 500, nan_share=0.1)
    booster = fit(features, random_target(rng, features, level=300.0), **params)
    assert_same(booster, features, build(booster.dump_model(), features.shape[1]))


def test_a_users_own_objective_agrees() -> None:
    rng = np.random.default_rng(5)
    features = random_features(rng, 300, nan_share=0.0)
    target = random_target(rng, features, level=20.0)

    def squared(forecast: Float64, data: lightgbm.Dataset) -> tuple[Float64, Float64]:
        return forecast - target, np.ones_like(forecast)

    booster = fit(features, target, objective=squared)
    assert_same(booster, features, build(booster.dump_model(), features.shape[1]))


def test_early_stopped_booster_exports_the_trees_that_predict_uses() -> None:
    rng = np.random.default_rng(6)
    features = random_features(rng, 400, nan_share=0.0)
    target = random_target(rng, features, level=20.0)
    train = lightgbm.Dataset(features[:200], target[:200])
    held_out = lightgbm.Dataset(features[200:], target[200:], reference=train)
    stop = lightgbm.early_stopping(3, verbose=False)
    params = {**QUIET, "learning_rate": 0.9}
    booster = lightgbm.train(
        params, train, 80, valid_sets=[held_out], callbacks=[stop], keep_training_booster=True
    )
    assert booster.best_iteration < booster.current_iteration()
    assert_same(booster, features, build(booster.dump_model(), features.shape[1]))


def test_trees_of_one_leaf_become_a_constant() -> None:
    rng = np.random.default_rng(7)
    features = random_features(rng, 50, nan_share=0.1)
    booster = fit(features, rng.normal(size=50) + 3, trees=4, min_data_in_leaf=100)
    table = tree_ensemble(booster.dump_model())
    assert table.roots == ()
    model = build(booster.dump_model(), features.shape[1])
    assert not [node for node in model.graph.node if node.op_type == "TreeEnsemble"]
    assert_same(booster, features, model)


def test_trees_of_one_leaf_between_others_are_counted() -> None:
    rng = np.random.default_rng(8)
    features = random_features(rng, 300, nan_share=0.0)
    booster = fit(features, random_target(rng, features, level=5.0), trees=5)
    dump = booster.dump_model()
    lone = {"tree_index": 5, "num_leaves": 1, "tree_structure": {"leaf_value": 2.5}}
    dump["tree_info"].insert(2, lone)
    expected = np.asarray(booster.predict(features)) + 2.5
    np.testing.assert_allclose(run(build(dump, None), features), expected, rtol=1e-6)


def test_no_trees_at_all_forecast_zero() -> None:
    dump = {"tree_info": [], "max_feature_idx": 1, "num_tree_per_iteration": 1}
    forecast = run(build(dump, 2), np.array([[1.0, np.nan]], dtype=np.float32))
    np.testing.assert_array_equal(forecast, [0.0])


def test_an_empty_batch_gives_an_empty_forecast() -> None:
    rng = np.random.default_rng(9)
    features = random_features(rng, 300, nan_share=0.0)
    dump = fit(features, random_target(rng, features, level=5.0)).dump_model()
    assert run(build(dump, features.shape[1]), features[:0]).shape == (0,)


def test_a_tree_deeper_than_the_recursion_limit_is_flattened() -> None:
    depth = 3000
    node: dict[str, Any] = {"leaf_value": 1.0}
    for level in range(depth):
        node = {
            "split_feature": 0,
            "threshold": float(depth - level),
            "decision_type": "<=",
            "default_left": False,
            "missing_type": "NaN",
            "left_child": {"leaf_value": float(level)},
            "right_child": node,
        }
    tree = {"tree_index": 0, "tree_structure": node}
    dump = {"tree_info": [tree], "max_feature_idx": 0, "num_tree_per_iteration": 1}
    table = tree_ensemble(dump)
    assert len(table.feature) == depth
    assert len(table.leaf) == depth + 1


def test_five_hundred_trees_of_31_leaves_are_small_and_precise() -> None:
    rng = np.random.default_rng(10)
    features = rng.normal(size=(3000, 12)).astype(np.float32)
    target = 5e4 + 3e3 * np.sin(2 * features).sum(axis=1) + rng.normal(size=3000)
    booster = fit(features, target, trees=500, num_leaves=31)
    dump = booster.dump_model()
    nodes = sum(2 * tree["num_leaves"] - 1 for tree in dump["tree_info"])
    assert nodes == 500 * 61
    model = build(dump, 12)
    size = len(model.SerializeToString())
    assert size <= 360_000
    assert size / nodes <= 11.6
    assert_same(booster, features, model)


def test_graph_is_as_old_as_it_can_be_and_reproducible() -> None:
    rng = np.random.default_rng(11)
    features = random_features(rng, 300, nan_share=0.1)
    dump = fit(features, random_target(rng, features, level=5.0)).dump_model()
    model = build(dump, features.shape[1])
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    assert opsets["ai.onnx.ml"] == 5
    assert opsets[""] <= 17
    assert [node.op_type for node in model.graph.node].count("TreeEnsemble") == 1
    assert model.SerializeToString() == build(dump, features.shape[1]).SerializeToString()


def assert_decides_alike(threshold: float, value: float) -> None:
    seen = 0.0 if abs(value) <= np.float32(1e-35) else value  # what Booster.predict() compares
    exact = np.copysign(np.inf, threshold) if abs(threshold) >= 1e300 else threshold
    floored = floor_float32(np.array([threshold]))
    assert bool(np.float32(value) <= floored[0]) == (seen <= exact)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(width=32, allow_nan=False))
def test_floored_threshold_decides_as_lightgbm_does(threshold: float, value: float) -> None:
    assert_decides_alike(threshold, value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floored_threshold_decides_right_beside_a_float32(value: float) -> None:
    for threshold in (np.nextafter(value, -np.inf), value, np.nextafter(value, np.inf)):
        assert_decides_alike(float(threshold), value)


def refused(message: str, target: str = "real", categorical: Any = "auto", **params: Any) -> Any:
    return pytest.param(params, target, categorical, message, id=message)


@pytest.mark.parametrize(
    ("params", "target", "categorical", "message"),
    [
        refused("linear_tree", linear_tree=True),
        refused("boosting=rf", boosting="rf", bagging_freq=1, bagging_fraction=0.5),
        refused("categorical_feature", categorical=[2], min_data_per_group=1, cat_smooth=0.0),
        refused("zero_as_missing", zero_as_missing=True),
        refused("multiclass", "class", objective="multiclass", num_class=3),
        refused("reg_sqrt", reg_sqrt=True),
        refused("'regression_l1 sqrt'", objective="regression_l1", reg_sqrt=True),
        refused("'poisson'", "positive", objective="poisson"),
        refused("'gamma'", "positive", objective="gamma"),
        refused("'tweedie'", "positive", objective="tweedie"),
        refused("'binary sigmoid:1'", "binary", objective="binary"),
        refused("'cross_entropy'", "binary", objective="cross_entropy"),
        refused("'cross_entropy_lambda'", "binary", objective="cross_entropy_lambda"),
    ],
)
def test_an_unsupported_option_is_refused_by_name(
    params: dict[str, Any], target: str, categorical: Any, message: str
) -> None:
    rng = np.random.default_rng(12)
    features = np.abs(random_features(rng, 400, nan_share=0.0))
    real = random_target(rng, features, level=0.0) + 20 * (features[:, 2] == 1)
    targets = {
        "real": real,
        "positive": np.abs(real) + 1,
        "binary": (real > np.median(real)).astype(np.float64),
        "class": np.digitize(real, np.quantile(real, [0.33, 0.66])).astype(np.float64),
    }
    booster = fit(features, targets[target], trees=3, categorical=categorical, **params)
    with pytest.raises(RungError, match=message):
        tree_ensemble(booster.dump_model())


def one_split(**change: Any) -> dict[str, Any]:
    node = {
        "split_feature": 4,
        "threshold": 0.5,
        "decision_type": "<=",
        "default_left": True,
        "missing_type": "None",
        "left_child": {"leaf_value": 1.0},
        "right_child": {"leaf_value": 2.0},
        **change,
    }
    tree = {"tree_index": 9, "tree_structure": node}
    return {"tree_info": [tree], "max_feature_idx": 4, "num_tree_per_iteration": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decision_type": ">"}, "splits '<=', got '>' in tree 9, feature 4"),
        ({"missing_type": "Other"}, "got 'Other' in tree 9, feature 4"),
        ({"left_child": {"leaf_value": float("nan")}}, "finite leaf values"),
        ({"left_child": {"leaf_value": float("inf")}}, "finite leaf values"),
    ],
)
def test_trees_of_an_unknown_kind_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RungError, match=message):
        tree_ensemble(one_split(**change))


def test_something_else_than_a_dump_is_refused() -> None:
    with pytest.raises(RungError, match="dump_model"):
        tree_ensemble({"tree_structure": {}})


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (spox.Tensor(np.float64, ("N", 5)), "float32 features"),
        (spox.Tensor(np.float32, ("N", 4)), r"features \[N, 5\]"),
        (spox.Tensor(np.float32, ("B", "H", 5)), r"features \[N, 5\]"),
    ],
)
def test_features_of_another_type_or_number_are_refused(tensor: spox.Tensor, message: str) -> None:
    with pytest.raises(RungError, match=message):
        to_onnx(spox.argument(tensor), one_split())


def test_nan_takes_the_side_lightgbm_gives_it() -> None:
    rows = np.array([[np.nan] * 5, [0.0] * 5, [1.0] * 5], dtype=np.float32)
    for missing_type, threshold, default_left, expected in [
        ("None", 0.5, False, 1.0),  # NaN is read as 0
        ("None", -0.5, True, 2.0),
        ("NaN", 0.5, False, 2.0),
        ("NaN", -0.5, True, 1.0),
    ]:
        dump = one_split(missing_type=missing_type, threshold=threshold, default_left=default_left)
        forecast = run(build(dump, 5), rows)
        assert forecast.tolist() == [expected, 1.0 if threshold > 0 else 2.0, 2.0]


@pytest.mark.parametrize("seed", range(6))
def test_one_mode_for_all_rows_agrees_wherever_nothing_is_nan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = random_features(rng, 800, nan_share=0.0)
    booster = fit(features, random_target(rng, features, 50.0))
    table = tree_ensemble(booster.dump_model(), finite=True)
    assert not table.mode.any()
    argument = spox.argument(spox.Tensor(np.float32, ("N", 8)))
    forecast = to_onnx(argument, booster.dump_model(), finite=True)
    model = spox.build({"features": argument}, {"forecast": forecast})
    rows = probes(rng, features, table)
    assert_same(booster, rows[~np.isnan(rows).any(axis=1)], model)
