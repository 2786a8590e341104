"""Constants meet at the end of a graph, and the graph says the same."""

from collections.abc import Callable
from functools import partial

import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.export.compact import compact
from frugal_ai.features.frame import const

F32 = np.float32
Left = Callable[..., list[str]]
RNG = np.random.default_rng(0)
W, OUT = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 6))


def rows() -> tuple[Var, NDArray[F32]]:
    given = RNG.normal(3, 2, (2, 4, 6)).astype(F32)
    return spox.argument(spox.Tensor(F32, ("B", 4, 6))), given


@pytest.fixture
def left(compacted: Left) -> Left:
    """Hold graphs against each other as closely as these tests do."""
    return partial(compacted, rtol=2e-5, atol=1e-4)


def column(*values: float) -> Var:
    return const(np.array(values)[:, None], F32)


def units(x: Var, weights: Var) -> Var:
    """Standardized inputs, rectified units, and their sum for each step, [B, 6]."""
    scaled = op.mul(op.sub(x, column(1, 2, 3, 4)), column(0.5, 2, 1, 0.1))
    bent = op.max(
        [op.add(op.matmul(weights, scaled), column(1, 0, 2, 0, 3)), column(0, 0, -9, 1, 2)]
    )
    total = op.matmul(const(np.ones((1, 5)), F32), op.mul(bent, const(OUT, F32)))
    return op.add(op.squeeze(total, const([1], np.int64)), const(np.arange(6), F32))


def test_a_perceptron_is_two_products_a_kink_and_a_sum(left: Left) -> None:
    x, given = rows()
    small = np.rint(W * 50)
    for weights in (const(W, F32), op.cast(const(small, np.int16), to=F32)):
        y = op.unsqueeze(units(x, weights), const([2], np.int64))
        assert left(y, x, given) == ["Add", "MatMul", "MatMul", "Max", "Mul", "Reshape", "Sub"]


def test_weights_of_16_bits_stay_so_that_they_can_be_narrowed() -> None:
    x, _ = rows()
    weights = op.cast(const(np.rint(W * 9000), np.int16), to=F32)
    small = compact(spox.build({"x": x}, {"y": units(x, weights)}))
    (kept,) = [t for t in small.graph.initializer if t.data_type == onnx.TensorProto.INT16]
    assert tuple(kept.dims) == W.shape
    found = {
        tuple(t.dims) for t in small.graph.initializer if t.data_type == onnx.TensorProto.FLOAT
    }
    assert (1, 4) in found or (4, 1) in found  # the means, not what they make of the weights


def test_means_are_taken_off_before_anything_is_summed(left: Left) -> None:
    x, given = rows()
    scaled = op.mul(op.sub(x, column(1e6, 3, 3, 1)), column(1, 1, 1, 1.5))
    y = op.relu(op.matmul(const(W, F32), scaled))
    assert left(y, x, given) == ["MatMul", "Relu", "Sub"]
    small = compact(spox.build({"x": x}, {"y": y}))
    assert next(node for node in small.graph.node if "x" in node.input).op_type == "Sub"


@pytest.mark.parametrize("shifted", [True, False])
def test_a_line_from_knot_to_knot_carries_what_it_is_added_to(left: Left, *, shifted: bool) -> None:
    x, given = rows()
    raw = op.reshape(x, const([-1, 24, 1], np.int64))
    knots = const([[0, 1, 2.5, 4]], F32)
    into = op.min([op.relu(op.sub(raw, knots)), const([[1, 1.5, 1.5, 9]], F32)])
    by_size = op.matmul(into, const(RNG.normal(size=(4, 3)), F32))
    if shifted:
        by_size = op.add(by_size, const(RNG.normal(size=(24, 3)), F32))
    kinds = left(op.add(raw, by_size), x, given)
    shift = "Add" if shifted else "Sub"  # of what the knots come to
    assert kinds == sorted([shift, "MatMul", "Max", "Min", "Reshape"])


def test_what_is_used_twice_is_not_computed_twice(left: Left) -> None:
    x, given = rows()
    shifted = op.add(x, column(1, 2, 3, 4))
    y = op.add(op.mul(shifted, const(OUT[:4], F32)), op.neg(shifted))
    assert left(y, x, given) == ["Add", "Add", "Mul", "Neg"]


def test_values_are_not_rounded_where_no_tree_looks(left: Left) -> None:
    x, given = rows()
    wave = op.round(op.mul(op.sin(op.cast(x, to=np.float64)), const(2.0**23, np.float64)))
    y = op.mul(op.cast(wave, to=F32), const(2.0**-23, F32))
    assert left(y, x, given) == ["Cast", "Cast", "Sin"]
    coarse = op.round(op.mul(x, const(4.0, F32)))
    kept = op.mul(op.cast(op.cast(coarse, to=np.float64), to=F32), const(0.25, F32))
    assert "Round" in left(kept, x, given)


def test_what_is_scaled_is_centred_after_the_product(left: Left) -> None:
    x, given = rows()
    scaled = op.mul(x, const(RNG.normal(size=(4, 1)), F32))
    centred = op.sub(scaled, const(RNG.normal(size=(4, 1)), F32))
    y = op.max([op.matmul(const(W, F32), centred), const(np.zeros(1), F32)])
    assert left(op.mul(y, const(OUT, F32)), x, given) == ["MatMul", "Max", "Mul", "Sub"]
    far = op.sub(x, const(RNG.normal(size=(4, 1)), F32))
    again = op.max([op.matmul(const(W, F32), far), const(np.zeros(1), F32)])
    assert left(op.mul(again, const(OUT, F32)), x, given) == ["MatMul", "Max", "Mul", "Sub"]
    assert left(again, x, given) == ["MatMul", "Max", "Sub"]


def test_a_product_is_transposed_while_it_is_made(left: Left) -> None:
    x, given = rows()
    y = op.transpose(op.matmul(const(W, F32), x), perm=[0, 2, 1])
    assert left(op.relu(y), x, given) == ["MatMul", "Relu", "Transpose"]
    shift = const(RNG.normal(size=(1, 5, 6)), F32)
    shifted = op.transpose(op.add(op.matmul(const(W, F32), x), shift), perm=[0, 2, 1])
    last = op.add(shifted, const(RNG.normal(size=(1, 6, 5)), F32))
    assert left(op.relu(last), x, given) == ["Add", "MatMul", "Relu", "Transpose"]
