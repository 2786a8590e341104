from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from frugal_ai.export.packed import serialized


def model_of(**attributes: Any) -> onnx.ModelProto:
    node = helper.make_node("Odd", ["x"], ["y"], domain="here", **attributes)
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["B"])
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["B"])
    constant = onnx.numpy_helper.from_array(np.arange(300, dtype=np.float32), "c")
    graph = helper.make_graph([node, node], "g", [value], [out], [constant])
    return helper.make_model(graph, producer_name="p" * 200)


@given(
    ints=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=200),
    floats=st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=200),
    text=st.text(),
)
def test_it_reads_back_the_same(ints: list[int], floats: list[float], text: str) -> None:
    model = model_of(ints=ints, floats=floats, text=text, one=ints[0], number=floats[0])
    assert onnx.load_from_string(serialized(model)) == model


def test_lists_lose_a_byte_for_every_number() -> None:
    model = model_of(ids=list(range(1000)))
    plain = model.SerializeToString(deterministic=True)
    # a tag and two bytes of length for each of two nodes, and those of the messages around it
    assert 2000 - 10 <= len(plain) - len(serialized(model)) <= 2000


def test_it_is_the_same_every_time() -> None:
    model = model_of(ids=[1, 2, 3], b=[1.0, 2.0])
    assert serialized(model) == serialized(onnx.load_from_string(serialized(model)))


@pytest.mark.parametrize("leaves", [2, 200])
def test_a_tree_ensemble_runs_the_same(leaves: int) -> None:
    import lightgbm
    import spox
    from frugal_edge.session import quiet_session

    from frugal_ai.export.compact import compact
    from frugal_ai.ladder._trees import to_onnx

    rng = np.random.default_rng(0)
    features, target = rng.normal(0, 1, (3000, 4)), rng.normal(0, 1, 3000)
    booster = lightgbm.train(
        {"num_leaves": leaves, "min_data_in_leaf": 2, "verbosity": -1, "num_threads": 1},
        lightgbm.Dataset(features, target),
        20,
    )
    x = spox.argument(spox.Tensor(np.float32, ("N", 4)))
    model = compact(spox.build({"x": x}, {"y": to_onnx(x, booster.dump_model(), finite=True)}))
    packed = serialized(model)
    feed = {"x": features.astype(np.float32)}
    got, plain = (
        quiet_session(content).run(None, feed)[0] for content in (packed, model.SerializeToString())
    )
    np.testing.assert_array_equal(got, plain)
    nodes = 20 * (2 * leaves - 1)  # splits and leaves
    if leaves == 200:
        assert len(packed) / nodes < 9.0
        assert len(model.SerializeToString()) / nodes > 11.0
