import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from spox import Var

from frugal_ai.export.compact import compact
from frugal_ai.export.economy import economize
from frugal_ai.features.frame import const

F32 = np.float32


def i64(*values: int) -> Var:
    return op.const(np.array(values, np.int64))


def built(outputs: dict[str, Var], **inputs: Var) -> onnx.ModelProto:
    return spox.build(inputs, outputs)


def ran(model: onnx.ModelProto, **feed: NDArray[F32]) -> list[NDArray[F32]]:
    found: list[NDArray[F32]] = quiet_session(model.SerializeToString()).run(None, feed)
    return found


def kinds(model: onnx.ModelProto) -> list[str]:
    return sorted(node.op_type for node in model.graph.node)


def rows(steps: int = 4, width: int = 3) -> tuple[Var, NDArray[F32]]:
    x = spox.argument(spox.Tensor(F32, ("B", steps, width)))
    return x, np.random.default_rng(0).normal(5, 2, (2, steps, width)).astype(F32)


def assert_same(
    model: onnx.ModelProto, *left: str, exact: bool = True, **feed: NDArray[F32]
) -> None:
    """Hold the economized graph against the given one; name the operators that are left."""
    small = compact(model)
    onnx.checker.check_model(small, full_check=True)
    for got, expected in zip(ran(small, **feed), ran(model, **feed), strict=True):
        np.testing.assert_allclose(
            got, expected, rtol=0 if exact else 1e-6, atol=0 if exact else 1e-5
        )
    assert kinds(small) == sorted(left)


def test_what_changes_nothing_goes() -> None:
    x, given_ = rows()
    y = op.reshape(op.cast(op.identity(x), to=F32), i64(-1, 4, 3))
    y = op.slice(op.add(y, op.const(F32(0))), i64(0), i64(9), i64(1))
    y = op.gather(op.expand(y, i64(1, 4, 3)), i64(0, 1, 2), axis=2)
    assert_same(built({"y": op.neg(op.mul(y, const([1, 1, 1], F32)))}, x=x), "Neg", x=given_)


def test_what_widens_or_cuts_stays() -> None:
    x, given_ = rows()
    wider = op.add(x, op.const(np.zeros((5, 1, 1, 3), F32)))
    cut = op.slice(x, i64(0), i64(3), i64(1))
    picked = op.gather(x, i64(0, 1), axis=2)
    turned = op.reshape(x, i64(-1, 3, 4))
    outputs = {"wider": wider, "cut": cut, "picked": picked, "turned": turned}
    assert_same(built(outputs, x=x), "Add", "Expand", "Slice", "Gather", "Reshape", x=given_)


def test_an_output_that_equals_an_input_stays_an_output() -> None:
    x, given_ = rows()
    same = op.identity(x)
    assert_same(built({"y": same, "z": op.neg(same)}, x=x), "Identity", "Neg", x=given_)


def test_sizes_that_are_known_become_numbers() -> None:
    x, given_ = rows()
    width = op.gather(op.shape(x), i64(-1))
    assert_same(built({"y": op.top_k(x, width, axis=-1)[0]}, x=x), "TopK", x=given_)
    batch = op.gather(op.shape(x), i64(0))
    filled = op.expand(op.const(F32(3)), op.concat([batch, i64(7)], axis=0))
    assert_same(built({"y": filled}, x=x), "Concat", "Expand", "Gather", "Shape", x=given_)


def test_transpositions_that_undo_each_other_go() -> None:
    x, given_ = rows()
    there = op.transpose(x, perm=[0, 2, 1])
    cut = op.slice(there, i64(0), i64(2), i64(1))
    back = op.transpose(cut, perm=[0, 2, 1])
    column = op.gather(there, const(1, np.int64), axis=1)
    outputs = {"back": back, "column": column}
    assert_same(built(outputs, x=x), "Gather", "Slice", x=given_)


def test_what_is_picked_twice_is_picked_once() -> None:
    x, given_ = rows(6)
    first = op.gather(x, i64(5, 0, 3, 2), axis=1)
    outputs = {
        "list": op.gather(first, i64(2, 0), axis=1),
        "number": op.gather(first, const(1, np.int64), axis=1),
        "cut": op.slice(first, i64(1), i64(3), i64(1)),
    }
    assert_same(built(outputs, x=x), "Gather", "Gather", "Gather", x=given_)


def test_constants_are_folded_unless_that_makes_them_longer() -> None:
    x, given_ = rows()
    factor = op.add(op.mul(const([1.0, 2, 3], F32), const(2.0, F32)), const(1.0, F32))
    assert_same(built({"y": op.mul(x, factor)}, x=x), "Expand", "Mul", x=given_)
    wide = spox.argument(spox.Tensor(F32, ("B", 400, 3)))
    whole = np.random.default_rng(1).integers(-999, 999, (1, 400, 3))
    integers = op.cast(const(whole, np.int16), to=F32)
    ones = np.ones((2, 400, 3), F32)
    assert_same(built({"y": op.mul(wide, integers)}, x=wide), "Cast", "Mul", x=ones)
    total = op.reduce_sum(integers, i64(1))
    assert_same(built({"y": op.mul(x, total)}, x=x), "Expand", "Mul", x=given_)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.arange(200, dtype=np.int64), 450),
        (np.arange(200, dtype=F32) - 100, 450),
        (np.arange(200, dtype=np.float64) / 8, 650),
        (np.full(200, 0.1, F32), 250),
        (np.random.default_rng(0).normal(0, 1, 200).astype(F32), 1050),
    ],
)
def test_constants_are_stored_short_and_exact(values: NDArray[F32], most: int) -> None:
    x = spox.argument(spox.Tensor(values.dtype, ("B", 200)))
    model = built({"y": op.add(x, op.const(values))}, x=x)
    given_ = np.ones((3, 200), values.dtype)
    small = compact(model)
    np.testing.assert_array_equal(ran(small, x=given_)[0], given_ + values)
    assert len(small.SerializeToString()) < most


@given(st.permutations(range(6)), st.integers(0, 3))
def test_sums_need_no_order(order: list[int], again: int) -> None:
    """A linear model on picked rows, some of them twice, reads the rows as they stand."""
    rng = np.random.default_rng(again)
    listed = [*order, *order[:again]]
    x, y = (spox.argument(spox.Tensor(F32, ("B", 3, 4))) for _ in range(2))
    features = op.gather(op.concat([x, y], axis=1), i64(*listed), axis=1)
    weights = const(rng.normal(0, 1, (len(listed), 4)), F32)
    mean = const(rng.normal(0, 1, (len(listed), 1)), F32)
    ones = const(np.ones((1, len(listed))), F32)
    total = op.matmul(ones, op.mul(op.sub(features, mean), weights))
    model = built({"total": total}, x=x, y=y)
    feed = {name: rng.normal(0, 1, (2, 3, 4)).astype(F32) for name in "xy"}
    small = compact(model)
    np.testing.assert_allclose(ran(small, **feed)[0], ran(model, **feed)[0], atol=1e-5)
    assert kinds(small).count("Gather") == (0 if again == 0 else kinds(small).count("Gather"))
    for node in small.graph.node:  # no row is picked but those that stand for two features
        if node.op_type == "Gather":
            index = next(one for one in small.graph.initializer if one.name == node.input[1])
            assert np.prod(index.dims) <= again


@pytest.mark.parametrize("mean", [0.5, 1e4])
def test_scales_go_into_weights_and_means_stay(mean: float) -> None:
    rng = np.random.default_rng(0)
    x, _ = rows(5, 8)
    centred = op.sub(x, const(rng.normal(mean, 1, (5, 1)), F32))
    scaled = op.mul(centred, const(rng.uniform(0.5, 2, (5, 1)), F32))
    hidden = op.matmul(const(rng.normal(0, 1, (3, 5)), F32), scaled)
    model = built({"y": op.relu(op.add(hidden, const(rng.normal(0, 1, (3, 1)), F32)))}, x=x)
    given_ = rng.normal(mean, 1, (2, 5, 8)).astype(F32)
    left = ("Add", "Expand", "Expand", "MatMul", "Relu", "Sub")
    assert_same(model, *left, exact=False, x=given_)


def test_the_oldest_operators_will_do() -> None:
    x, given_ = rows()
    above = op.greater_or_equal(x, op.const(F32(4)))  # of opset 16
    y = op.reshape(op.where(above, x, op.relu(op.neg(x))), i64(-1, 12))
    model = built({"y": op.cumsum(y, const(1, np.int64))}, x=x)
    small = compact(model)
    onnx.checker.check_model(small, full_check=True)
    assert (small.opset_import[0].version, small.ir_version) == (13, 7)
    np.testing.assert_array_equal(ran(small, x=given_)[0], ran(model, x=given_)[0])


def test_the_given_model_stays_as_it_is() -> None:
    x, _ = rows()
    model = built({"y": op.identity(op.add(x, op.const(F32(0))))}, x=x)
    before = model.SerializeToString(deterministic=True)
    economize(model)
    assert model.SerializeToString(deterministic=True) == before
