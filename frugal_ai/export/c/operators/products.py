"""Matrix products."""

import itertools

import numpy as np

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.operators.rows import parts_of_rows, summed
from frugal_ai.export.c.scalar import DOUBLE, FLOAT
from frugal_ai.export.c.storage import BLOCK
from frugal_ai.export.c.tensor import (
    Constant,
    Joined,
    Product,
    Tensor,
    broadcast,
    constant,
    flat,
    mapped,
    number,
    transposed,
)

_REAL = (FLOAT, DOUBLE)
_MANY = 8  # vectors that a matrix is multiplied by
_MOST_BLOCKS = 8
_VECTOR = 4


def _matmul(call: Call) -> list[Tensor]:
    left, right = call.tensor(0), call.tensor(1)
    call.require(left.dtype)
    left, right = _widened(call, left, right)
    left, right = _trimmed(call, left, right)
    one_row, one_column = len(left.shape) == 1, len(right.shape) == 1
    if one_row:
        left = flat(left, (1, *left.shape))
    if one_column:
        right = flat(right, (*right.shape, 1))
    product = _apart(left, right)
    *batch, rows, columns = product.shape
    kept = (*batch, *([] if one_row else [rows]), *([] if one_column else [columns]))
    return [flat(product, kept)]


def _gemm(call: Call) -> list[Tensor]:
    left, right, added = call.tensor(0), call.tensor(1), call.optional(2)
    dtype = call.require(left.dtype, _REAL)
    left, right = _widened(call, left, right)
    if call.attribute("transA", 0):
        left = transposed(left, (1, 0))
    if call.attribute("transB", 0):
        right = transposed(right, (1, 0))
    result = _product(left, right)
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    if alpha != 1:
        result = mapped("mul", dtype, number(alpha, dtype), result)
    if added is not None and beta:
        if beta != 1:
            added = mapped("mul", dtype, number(beta, dtype), added)
        result = mapped("add", dtype, result, broadcast(added, result.shape))
    return [result]


def _apart(left: Tensor, right: Tensor) -> Tensor:
    """Multiply; what is the same in all columns once, what has the same weights added up before."""
    if isinstance(right, Constant) and len(right.shape) == 2:
        if right.shape[1] > 1 and bool((right.values == right.values[:, :1]).all()):
            one = _apart(left, constant(right.values[:, :1]))
            return broadcast(one, (*one.shape[:-1], right.shape[1]))
        left, right = summed(left, right)
    rows = parts_of_rows(right) if isinstance(left, Constant) else None
    if not isinstance(left, Constant) or rows is None:
        return _product(left, right)
    total, once = (
        _product(constant(left.values.take(some.places, -1)), some.values) for some in rows
    )
    return mapped("add", left.dtype, total, broadcast(once, total.shape))


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply; a constant matrix block by block, so that what is read together stands together."""
    axis = -2 if isinstance(left, Constant) else -1
    matrix = left if axis == -2 else right
    size = matrix.shape[axis]
    cuts = _cuts(size)
    if not isinstance(matrix, Constant) or not 2 < len(cuts) <= _MOST_BLOCKS:
        return _one_product(left, right)
    parts = []
    for start, end in itertools.pairwise(cuts):
        block = constant(matrix.values.take(range(start, end), axis))
        parts.append(_one_product(*((block, right) if axis == -2 else (left, block))))
    *rest, rows, columns = parts[0].shape
    shape = (*rest, size, columns) if axis == -2 else (*rest, rows, size)
    return Joined(left.dtype, shape, tuple(parts), len(shape) + axis)


def _cuts(size: int) -> list[int]:
    """Cut columns into blocks of 16, one of a multiple of 4, and what is left."""
    cuts = [*range(0, size - size % BLOCK + 1, BLOCK), size - size % _VECTOR, size]
    return sorted(set(cuts))


def _one_product(left: Tensor, right: Tensor) -> Tensor:
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = broadcast(left, (*batch, *left.shape[-2:]))
    right = broadcast(right, (*batch, *right.shape[-2:]))
    return Product(left.dtype, (*batch, left.shape[-2], right.shape[-1]), left, right)


def _widened(call: Call, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Take a matrix that is read anew for each of many vectors in the type that it is read in.

    It is longer than in the small type that it is kept in, but has not to be converted each time.
    """
    known, vectors = call.values[:2], (right.size // left.shape[-1], left.size // left.shape[-1])
    if known[0] is not None and vectors[0] >= _MANY:
        left = constant(known[0])
    if known[1] is not None and vectors[1] >= _MANY:
        right = constant(known[1])
    return left, right


def _trimmed(call: Call, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Leave out the first and last columns of a constant matrix that are 0, and what they meet."""
    if not isinstance(left, Constant) or len(right.shape) < 2:
        return left, right
    used = np.flatnonzero(left.values.reshape(-1, left.shape[-1]).any(axis=0))
    if not used.size:
        return left, right
    kept = range(int(used[0]), int(used[-1]) + 1)
    return constant(left.values[..., kept]), call.cut(right, len(right.shape) - 2, kept)


OPERATORS: dict[str, Operator] = {"Gemm": _gemm, "MatMul": _matmul}
