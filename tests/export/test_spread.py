"""Constants as wide as what they meet change no result."""

from collections.abc import Callable

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import numpy_helper
from spox import Var

from frugal_ai.export.compact import compact
from frugal_ai.features.frame import const

F32 = np.float32
BY_ELEMENT: dict[str, Callable[[Var, Var], Var]] = {
    "add": op.add, "sub": op.sub, "mul": op.mul, "div": op.div,
    "max": lambda a, b: op.max([a, b]), "min": lambda a, b: op.min([a, b]),
}  # fmt: skip


def widths(model: onnx.ModelProto) -> list[tuple[int, ...]]:
    """Return the shapes that constants are repeated to."""
    known = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    return [
        tuple(known[node.input[1]].tolist())
        for node in model.graph.node
        if node.op_type == "Expand"
    ]


def values(*shape: int) -> NDArray[F32]:
    return np.random.default_rng(sum(shape)).normal(3, 2, shape).astype(F32)


def compacted(y: Var, x: Var, given_: NDArray[F32]) -> onnx.ModelProto:
    """Compact a graph and hold it against the given one, bit by bit."""
    model = spox.build({"x": x}, {"y": y})
    small = compact(model)
    got, expected = (
        quiet_session(one.SerializeToString()).run(None, {"x": given_})[0] for one in (small, model)
    )
    np.testing.assert_array_equal(got, expected)
    return small


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(BY_ELEMENT)),
    st.integers(2, 5),
    st.integers(2, 7),
    st.sampled_from(["column", "row", "both", "alone", "batch"]),
    st.booleans(),
)
def test_no_result_changes(kind: str, rows: int, steps: int, narrow: str, swapped: bool) -> None:
    shape = {
        "column": (rows, 1), "row": (steps,), "both": (rows, steps), "alone": (1,),
        "batch": (1, rows, 1),
    }[narrow]  # fmt: skip
    x = spox.argument(spox.Tensor(F32, ("B", rows, steps)))
    sides = (x, const(values(*shape), F32))
    small = compacted(
        BY_ELEMENT[kind](*(sides[::-1] if swapped else sides)), x, values(3, rows, steps)
    )
    wide = narrow in {"column", "row", "batch"}
    assert widths(small) == ([(rows, steps)] if wide else [])


def test_what_would_take_longer_to_read_stays() -> None:
    x = spox.argument(spox.Tensor(F32, ("B", 200, 100)))
    assert not widths(compacted(op.add(x, const(values(200, 1), F32)), x, values(1, 200, 100)))


def test_a_constant_wider_than_a_value_stays() -> None:
    x = spox.argument(spox.Tensor(F32, ("B", 1, 4)))
    assert not widths(compacted(op.mul(x, const(values(3, 1), F32)), x, values(2, 1, 4)))


def test_before_weights_are_rounded_constants_stay_narrow() -> None:
    x = spox.argument(spox.Tensor(F32, ("B", 3, 4)))
    model = spox.build({"x": x}, {"y": op.add(x, const(values(3, 1), F32))})
    assert not widths(compact(model, fold_scalers=False))
