"""Constants that follow each other are put together before the graph is opened."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.v17 as op

from frugal_ai.features.frame import const

F32 = np.float32
Left = Callable[..., list[str]]
RNG = np.random.default_rng(0)


@pytest.fixture
def left(compacted: Left) -> Left:
    """Hold graphs against each other as closely as these tests do."""
    return partial(compacted, rtol=1e-5, atol=1e-5)


def test_two_matrices_become_one(left: Left) -> None:
    given = RNG.normal(size=(2, 8)).astype(F32)
    x = spox.argument(spox.Tensor(F32, ("B", 8)))
    first, second = (const(RNG.normal(size=size), F32) for size in ((8, 5), (5, 3)))
    assert left(op.matmul(op.matmul(x, first), second), x, given) == ["MatMul"]
    inner = op.matmul(x, first)
    both = op.concat([op.matmul(inner, second), inner], axis=1)
    assert left(both, x, given).count("MatMul") == 2


def test_numbers_are_multiplied_as_a_row(left: Left) -> None:
    given = RNG.normal(size=(2, 8)).astype(F32)
    x = spox.argument(spox.Tensor(F32, ("B", 8)))
    inner = op.matmul(x, const(RNG.normal(size=(8, 5)), F32))
    column = op.unsqueeze(inner, const([2], np.int64))
    y = op.matmul(const(RNG.normal(size=(4, 5)), F32), column)
    assert left(y, x, given) == ["MatMul", "Unsqueeze"]


@pytest.mark.parametrize(("rows", "nodes"), [(1000, 1), (100_000, 2)])
def test_a_table_of_a_table_is_looked_up_once_unless_it_is_large(
    left: Left, rows: int, nodes: int
) -> None:
    given = RNG.integers(0, rows, (2, 6))
    x = spox.argument(spox.Tensor(np.int64, ("B", 6)))
    table = const(RNG.normal(size=(9, 3)), F32)
    index = const(RNG.integers(0, 9, rows), np.int64)
    y = op.gather(table, op.gather(index, x))
    assert left(y, x, given).count("Gather") == nodes
