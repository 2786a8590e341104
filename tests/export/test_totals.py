"""Means of the history as one product."""

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from hypothesis import given, settings
from hypothesis import strategies as st
from spox import Var

from frugal_ai.export.compact import compact
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

F32 = np.float32
N = 96


def blocks(*windows: str) -> tuple[Block, ...]:
    block = {"feature": "rolling", "window": list(windows), "stats": ["mean"]}
    return Recipe.model_validate({"features": [block]}).features


def means(*windows: str) -> tuple[dict[str, Var], Var]:
    grid = local_grid(
        step_s=1800, horizon=4, timezone="UTC", holidays=None,
        valid_from=1_600_000_000 // 1800 * 1800, valid_until=1_700_000_000,
    )  # fmt: skip
    frame, features = FeatureGraph(blocks(*windows), grid).build()
    return frame.inputs, features


def moving(model: onnx.ModelProto, *inputs: str) -> set[str]:
    """Name the operators that read an input."""
    seen, kinds = set(inputs), set()
    for node in model.graph.node:
        if seen.intersection(node.input):
            seen.update(node.output)
            kinds.add(node.op_type)
    return kinds


@settings(deadline=None, max_examples=25)
@given(st.sets(st.integers(1, N), min_size=2, max_size=6), st.floats(1e-3, 1e6))
def test_means_agree_with_numpy(windows: set[int], level: float) -> None:
    steps = sorted(windows)
    inputs, features = means(*(f"{30 * one}min" for one in steps))
    model = compact(spox.build(inputs, {"y": features}, drop_unused_inputs=True))
    history = np.random.default_rng(0).normal(level, level / 5, (3, steps[-1])).astype(F32)
    got = quiet_session(model.SerializeToString()).run(None, {"history": history})[0]
    expected = np.stack([history[:, -one:].mean(axis=1, dtype=np.float64) for one in steps], axis=1)
    np.testing.assert_allclose(got[:, 0], expected, rtol=2e-6)
    kinds = moving(model, "history")
    assert "MatMul" in kinds
    assert not kinds & {"CumSum", "Cast"}


def test_sums_of_anything_else_keep_their_precision() -> None:
    x = spox.argument(spox.Tensor(F32, ("B", 8)))
    double = op.cumsum(op.cast(x, to=np.float64), op.const(np.int64(1)), reverse=1)
    picked = op.gather(double, op.const(np.array([0, 3], np.int32)), axis=1)
    product = op.matmul(picked, op.const(np.array([[1.0, 0.5], [-1.0, 2.0]])))
    small = compact(spox.build({"x": x}, {"y": op.cast(product, to=F32)}))
    assert "CumSum" in moving(small, "x")
