import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from frugal_ai.export.compact import compact


def wasteful() -> onnx.ModelProto:
    x = spox.argument(spox.Tensor(np.float32, ("B", 3)))
    y = spox.argument(spox.Tensor(np.float32, ("B", 3)))
    two = [op.const(np.float32(2)) for _ in range(3)]
    twice = [op.mul(x, number) for number in two]
    total = op.add(op.add(twice[0], twice[1]), op.sub(twice[2], y))
    return spox.build({"x": x, "y": y}, {"total": total, "again": op.mul(x, two[0])})


def test_constants_and_nodes_are_shared() -> None:
    small = compact(wasteful())
    onnx.checker.check_model(small, full_check=True)
    assert len(small.graph.initializer) == 1
    # 2x is computed once, and is itself an output
    assert sorted(node.op_type for node in small.graph.node) == ["Add", "Add", "Mul", "Sub"]
    inner = {name for node in small.graph.node for name in node.input} - {"again"}
    assert max(map(len, inner)) == 1
    assert len(small.SerializeToString()) < 0.6 * len(wasteful().SerializeToString())


@given(arrays(np.float32, (4, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_it_computes_the_same(x: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    feed = {"x": x, "y": x[::-1].copy()}
    big, small = (quiet_session(m.SerializeToString()) for m in (wasteful(), compact(wasteful())))
    for name in ("total", "again"):
        np.testing.assert_array_equal(small.run([name], feed)[0], big.run([name], feed)[0])


def test_the_given_model_stays_as_it_is() -> None:
    model = wasteful()
    before = model.SerializeToString(deterministic=True)
    compact(model)
    assert model.SerializeToString(deterministic=True) == before


def test_it_is_idempotent_and_independent_of_the_order_of_nodes() -> None:
    once = compact(wasteful())
    assert compact(once).SerializeToString() == once.SerializeToString()
    shuffled = wasteful()
    constants = [n for n in shuffled.graph.node if n.op_type == "Constant"]
    rest = [n for n in shuffled.graph.node if n.op_type != "Constant"]
    del shuffled.graph.node[:]
    shuffled.graph.node.extend([*reversed(constants), *rest])
    assert compact(shuffled).SerializeToString() == once.SerializeToString()


def test_inputs_that_nothing_reads_are_dropped() -> None:
    x = spox.argument(spox.Tensor(np.float32, ("B",)))
    y = spox.argument(spox.Tensor(np.float32, ("B",)))
    small = compact(spox.build({"x": x, "y": y}, {"z": op.neg(x)}))
    assert [value.name for value in small.graph.input] == ["x"]
