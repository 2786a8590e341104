"""Matrix products."""

import numpy as np

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.scalar import DOUBLE, FLOAT
from frugal_ai.export.c.tensor import Product, Tensor, broadcast, flat, mapped, number, transposed

_REAL = (FLOAT, DOUBLE)


def _matmul(call: Call) -> list[Tensor]:
    left, right = call.tensor(0), call.tensor(1)
    call.require(left.dtype)
    one_row, one_column = len(left.shape) == 1, len(right.shape) == 1
    if one_row:
        left = flat(left, (1, *left.shape))
    if one_column:
        right = flat(right, (*right.shape, 1))
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = broadcast(left, (*batch, *left.shape[-2:]))
    right = broadcast(right, (*batch, *right.shape[-2:]))
    shape = (*batch, left.shape[-2], right.shape[-1])
    product: Tensor = Product(left.dtype, shape, left, right)
    rows, columns = shape[-2:]
    kept = (*batch, *([] if one_row else [rows]), *([] if one_column else [columns]))
    return [flat(product, kept)]


def _gemm(call: Call) -> list[Tensor]:
    left, right, added = call.tensor(0), call.tensor(1), call.optional(2)
    dtype = call.require(left.dtype, _REAL)
    if call.attribute("transA", 0):
        left = transposed(left, (1, 0))
    if call.attribute("transB", 0):
        right = transposed(right, (1, 0))
    shape = (left.shape[0], right.shape[1])
    result: Tensor = Product(dtype, shape, left, right)
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    if alpha != 1:
        result = mapped("mul", dtype, number(alpha, dtype), result)
    if added is not None and beta:
        if beta != 1:
            added = mapped("mul", dtype, number(beta, dtype), added)
        result = mapped("add", dtype, result, broadcast(added, shape))
    return [result]


OPERATORS: dict[str, Operator] = {"Gemm": _gemm, "MatMul": _matmul}
