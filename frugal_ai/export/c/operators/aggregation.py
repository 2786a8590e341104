"""Operators that sum up, average, accumulate or sort along axes."""

from functools import partial

import numpy as np

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.scalar import COMPUTED, DOUBLE, FLOAT
from frugal_ai.export.c.tensor import (
    Constant,
    Joined,
    Ordered,
    Reduced,
    Running,
    Tensor,
    flat,
    mapped,
    number,
    sliced,
    transposed,
)

_REAL = (FLOAT, DOUBLE)


def _reduced(call: Call, function: str) -> Tensor:
    """Sum up along the axes of the node and keep them with the size 1."""
    value = call.tensor()
    call.require(value.dtype, COMPUTED if function == "add" else _REAL)
    axes = _axes(call, value)
    shape = tuple(1 if k in axes else size for k, size in enumerate(value.shape))
    if not axes:
        return value
    left = tuple(size for k, size in enumerate(value.shape) if k not in axes)
    return flat(Reduced(value.dtype, left, value, axes, function), shape)


def _axes(call: Call, value: Tensor) -> tuple[int, ...]:
    rank = len(value.shape)
    given = call.attribute("axes")
    if given is None and call.optional(1) is not None:
        given = call.whole_numbers(1, "axes")
    if not given:
        return () if call.attribute("noop_with_empty_axes", 0) else tuple(range(rank))
    return tuple(sorted(axis + rank if axis < 0 else axis for axis in given))


def _result(call: Call, value: Tensor) -> list[Tensor]:
    """Drop the axes of size 1 unless the node keeps them."""
    if call.attribute("keepdims", 1):
        return [value]
    axes = _axes(call, call.tensor())
    return [flat(value, tuple(s for k, s in enumerate(value.shape) if k not in axes))]


def _reduce(call: Call, function: str) -> list[Tensor]:
    return _result(call, _reduced(call, function))


def _mean(call: Call) -> list[Tensor]:
    call.require(call.tensor().dtype, _REAL)
    total = _reduced(call, "add")
    count = number(call.tensor().size // total.size, total.dtype)
    return _result(call, mapped("div", total.dtype, total, count))


def _cumsum(call: Call) -> list[Tensor]:
    value = call.tensor()
    call.require(value.dtype)
    axis = int(call.constant(1, "axis").item()) % len(value.shape)
    reverse = bool(call.attribute("reverse", 0))
    if not reverse and not call.attribute("exclusive", 0):
        rest = _after_a_zero(value, axis)
        if rest is not None:
            return [_running(call, rest, axis, reverse=False)]
    whole = _running(call, value, axis, reverse=reverse)
    first = bool(call.attribute("exclusive", 0)) == reverse
    return [sliced(whole, axis, int(first), value.shape[axis])]


def _running(call: Call, value: Tensor, axis: int, *, reverse: bool) -> Running:
    key = (value, axis, reverse)
    if key not in call.shared.running:
        shape = tuple(size + (k == axis) for k, size in enumerate(value.shape))
        call.shared.running[key] = Running(value.dtype, shape, value, axis, reverse)
    return call.shared.running[key]


def _after_a_zero(value: Tensor, axis: int) -> Tensor | None:
    """Return what follows a zero that was put in front."""
    if isinstance(value, Joined) and value.axis == axis and len(value.parts) == 2:
        first, rest = value.parts
        if isinstance(first, Constant) and first.shape[axis] == 1 and not first.values.any():
            return rest
    return None


def _top_k(call: Call) -> list[Tensor]:
    value = call.tensor()
    call.require(value.dtype)
    if len(call.used) > 1 and call.used[1]:
        call.refuse("its second output, the indices, is not supported in C")
    if not call.attribute("sorted", 1):
        call.refuse("expected sorted=1")
    rank = len(value.shape)
    axis, count = call.axis(-1, rank), int(call.constant(1, "count").item())
    order = (*(k for k in range(rank) if k != axis), axis)
    last = value if axis == rank - 1 else transposed(value, order)
    descending = bool(call.attribute("largest", 1))
    ordered: Tensor = Ordered(last.dtype, last.shape, last, descending)
    ordered = sliced(ordered, rank - 1, 0, count)
    if axis != rank - 1:
        ordered = transposed(ordered, tuple(int(k) for k in np.argsort(order)))
    return [ordered, number(0)]


def _softmax(call: Call) -> list[Tensor]:
    value = call.tensor()
    dtype = call.require(value.dtype, _REAL)
    if call.node.version < 13:
        call.refuse("expected operator set 13 or newer")
    axis = call.axis(-1, len(value.shape))
    shape = tuple(1 if k == axis else size for k, size in enumerate(value.shape))
    left = tuple(size for k, size in enumerate(value.shape) if k != axis)
    most = flat(Reduced(dtype, left, value, (axis,), "max"), shape)
    powers = mapped("exp", dtype, mapped("sub", dtype, value, most))
    total = flat(Reduced(dtype, left, powers, (axis,), "add"), shape)
    return [mapped("div", dtype, powers, total)]


OPERATORS: dict[str, Operator] = {
    "CumSum": _cumsum,
    "ReduceMax": partial(_reduce, function="max"),
    "ReduceMean": _mean,
    "ReduceMin": partial(_reduce, function="min"),
    "ReduceSum": partial(_reduce, function="add"),
    "Softmax": _softmax,
    "TopK": _top_k,
}
