"""What is done to rows before a product is done to their weights."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.features.frame import const

F32 = np.float32
Left = Callable[..., list[str]]
RNG = np.random.default_rng(0)


def rows() -> tuple[Var, NDArray[F32]]:
    given = RNG.normal(3, 2, (2, 40, 6)).astype(F32)
    return spox.argument(spox.Tensor(F32, ("B", 40, 6))), given


def product(parts: list[Var], width: int) -> Var:
    return op.matmul(const(RNG.normal(size=(5, width)), F32), op.concat(parts, axis=1))


@pytest.fixture
def left(compacted: Left) -> Left:
    """Hold graphs against each other as closely as these tests do."""
    return partial(compacted, rtol=1e-5, atol=1e-4)


def pick(x: Var, *which: int) -> Var:
    return op.gather(x, const(which, np.int32), axis=1)


def test_rows_that_are_picked_of_another_part_are_multiplied_once(left: Left) -> None:
    x, given = rows()
    bent = op.relu(x)
    parts = [bent, pick(bent, 3, 0), op.neg(x)]
    assert left(product(parts, 82), x, given) == ["Concat", "MatMul", "Neg", "Relu"]


def test_rows_that_are_picked_twice_are_picked_once(left: Left) -> None:
    x, given = rows()
    parts = [pick(x, 7, 1, 30), op.relu(x), pick(x, 30)]
    kinds = left(product(parts, 44), x, given)
    assert kinds == ["Concat", "Gather", "MatMul", "Relu"]


def test_rows_of_their_own_stay(left: Left) -> None:
    x, given = rows()
    parts = [pick(x, 7, 1), op.relu(x), pick(x, 30)]
    assert left(product(parts, 43), x, given).count("Gather") == 2


def test_the_scale_of_rows_is_in_their_weights(left: Left) -> None:
    x, given = rows()
    size = const(RNG.uniform(1, 9, (40, 1)), F32)
    parts = [op.div(op.relu(x), size), op.neg(x), op.mul(op.abs(x), size)]
    assert left(product(parts, 120), x, given) == ["Abs", "Concat", "MatMul", "Neg", "Relu"]


def test_a_scale_of_each_step_stays(left: Left) -> None:
    x, given = rows()
    parts = [op.div(x, const(RNG.uniform(1, 9, (40, 6)), F32)), op.neg(x)]
    assert "Div" in left(product(parts, 80), x, given)
