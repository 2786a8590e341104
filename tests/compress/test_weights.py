"""Weights in fewer bits, on a perceptron made by hand, a linear model and trees."""

from typing import Any

import lightgbm
import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from numpy.typing import NDArray

from frugal_ai.compress.weights import WAYS
from frugal_ai.errors import CompressionError
from frugal_ai.export.compact import compact
from frugal_ai.export.packed import serialized
from frugal_ai.features.frame import const
from frugal_ai.ladder._linear import LinearModel
from frugal_ai.ladder._trees import to_onnx

WIDTH, UNITS, HORIZON, COUNT = 50, 64, 24, 200
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(100, 30, (COUNT, HORIZON, WIDTH)).astype(np.float32)
FEED = {"x": FEATURES}


def perceptron() -> onnx.ModelProto:
    """Build scaler, product, hyperbolic tangent, weights of each lead time."""
    x = spox.argument(spox.Tensor(np.float32, ("B", HORIZON, WIDTH)))
    rows = op.transpose(x, perm=[0, 2, 1])
    mean, scale = np.full((WIDTH, 1), 100.0), RNG.uniform(0.02, 0.05, (WIDTH, 1))
    scaled = op.mul(op.sub(rows, const(mean, np.float32)), const(scale, np.float32))
    hidden = const(RNG.normal(0, 0.2, (UNITS, WIDTH)), np.float32)
    bent = op.tanh(
        op.add(op.matmul(hidden, scaled), const(RNG.normal(0, 1, (UNITS, 1)), np.float32))
    )
    out = op.mul(bent, const(RNG.normal(0, 1, (UNITS, HORIZON)), np.float32))
    total = op.matmul(const(np.ones((1, UNITS)), np.float32), out)
    return compact(spox.build({"x": x}, {"y": op.squeeze(total, const([1], np.int64))}))


def linear() -> onnx.ModelProto:
    x = spox.argument(spox.Tensor(np.float32, ("B", HORIZON, WIDTH)))
    common = RNG.normal(0, 1, (1, WIDTH)) * 20000
    weights = np.clip(common + RNG.normal(0, 500, (HORIZON, WIDTH)), -32767, 32767)
    model = LinearModel(
        mean=np.full(WIDTH, 100, np.float32),
        scale=np.full(WIDTH, 1e-6, np.float32),
        weights=weights.astype(np.int16),
        bias=np.full(HORIZON, 50, np.float32),
    )
    return compact(spox.build({"x": x}, {"y": model.to_onnx(x)}))


def trees() -> onnx.ModelProto:
    rows = FEATURES.reshape(-1, WIDTH)
    target = np.sin(rows[:, 0] / 9) + rows[:, 1] / 30
    booster = lightgbm.train(
        {"num_leaves": 31, "verbosity": -1, "num_threads": 1},
        lightgbm.Dataset(rows, target),
        40,
    )
    x = spox.argument(spox.Tensor(np.float32, ("B", HORIZON, WIDTH)))
    flat = op.reshape(x, const([-1, WIDTH], np.int64))
    total = to_onnx(flat, booster.dump_model(), finite=True)
    return compact(spox.build({"x": x}, {"y": op.reshape(total, const([-1, HORIZON], np.int64))}))


MODELS = {"perceptron": perceptron(), "linear": linear(), "trees": trees()}


def ran(model: onnx.ModelProto, feed: dict[str, Any]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = quiet_session(serialized(model)).run(None, feed)[0]
    return found


@pytest.mark.parametrize(
    ("kind", "way", "error", "size"),
    [
        ("perceptron", "fp16", 1e-3, 0.6),
        ("perceptron", "int8 weights", 0.03, 0.4),
        ("perceptron", "int8 static", 0.03, 0.6),
        ("perceptron", "int8 dynamic", 0.03, 0.6),
        ("linear", "int8 weights", 1e-3, 0.8),
        ("trees", "shared leaves", 2e-3, 0.8),
    ],
)
def test_a_way_that_applies(kind: str, way: str, error: float, size: float) -> None:
    model = MODELS[kind]
    before = model.SerializeToString(deterministic=True)
    small = WAYS[way](model, FEED)
    onnx.checker.check_model(small, full_check=True)
    assert model.SerializeToString(deterministic=True) == before
    assert [one.name for one in small.graph.input] == ["x"]
    assert [one.name for one in small.graph.output] == ["y"]
    expected, got = ran(model, FEED), ran(small, FEED)
    assert got.shape == expected.shape
    off = float(np.sqrt(((got - expected) ** 2).mean()) / expected.std())
    assert 0 < off < error
    assert len(serialized(small)) < size * len(serialized(model))


@pytest.mark.parametrize(
    ("kind", "way", "said"),
    [
        ("linear", "fp16", "fp16: expected a product with a matrix of float32 weights"),
        ("linear", "int8 static", "int8 static: expected a product"),
        ("trees", "int8 dynamic", "int8 dynamic: expected a product"),
        ("trees", "int8 weights", "int8 weights: the graph has no matrix of weights"),
        ("perceptron", "shared leaves", "shared leaves: the graph has no trees"),
    ],
)
def test_a_way_that_does_not_apply_says_so(kind: str, way: str, said: str) -> None:
    with pytest.raises(CompressionError, match=said):
        WAYS[way](MODELS[kind], FEED)


def test_scalers_stay_as_they_are() -> None:
    """A mean of 100 and a spread of 30 in 8 bits would cost more than all weights."""
    for way in ("int8 weights", "int8 static", "int8 dynamic"):
        small = WAYS[way](MODELS["perceptron"], FEED)
        assert any(
            one.data_type == onnx.TensorProto.FLOAT and list(one.dims) in ([WIDTH, 1], [UNITS, 1])
            for one in small.graph.initializer
        )


def test_ranges_of_static_values_come_from_what_is_shown() -> None:
    """Values beyond those that were seen are cut off; within them they are not."""
    narrow = WAYS["int8 static"](MODELS["perceptron"], {"x": FEATURES[:1] * 0 + 100})
    wide = WAYS["int8 static"](MODELS["perceptron"], FEED)
    expected = ran(MODELS["perceptron"], FEED)
    errors = [np.abs(ran(one, FEED) - expected).mean() for one in (narrow, wide)]
    assert errors[0] > 10 * errors[1]


def test_trees_share_their_leaves() -> None:
    small = WAYS["shared leaves"](MODELS["trees"], FEED)
    node = next(node for node in small.graph.node if node.op_type == "TreeEnsemble")
    parts = {one.name: one for one in node.attribute}
    splits = len(parts["nodes_featureids"].ints)
    assert parts["leaf_weights"].t.dims[0] == len(parts["leaf_targetids"].ints) < splits
    ids = zip(parts["nodes_trueleafs"].ints, parts["nodes_truenodeids"].ints, strict=True)
    used = [number for leaf, number in ids if leaf]
    assert np.mean(np.array(used) < 128) > np.mean(np.array(used) >= 900)
