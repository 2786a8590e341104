"""Operators between real numbers and small whole ones."""

import numpy as np

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.scalar import FLOAT
from frugal_ai.export.c.tensor import Tensor, flat, mapped, number

_SMALL = (np.dtype(np.int8), np.dtype(np.uint8), np.dtype(np.int16), np.dtype(np.uint16))


def _dequantize(call: Call) -> list[Tensor]:
    value, scale, zero = call.tensor(0), call.tensor(1), call.optional(2)
    call.require(value.dtype, (*_SMALL, np.dtype(np.int32)))
    call.require(scale.dtype, (FLOAT,))
    real: Tensor = mapped("cast", FLOAT, value)
    known = call.values[2] if zero is not None else None
    if zero is not None and not (known is not None and not known.any()):
        shift = mapped("cast", FLOAT, _along(call, zero, value))
        real = mapped("sub", FLOAT, real, shift)
    return [mapped("mul", FLOAT, real, _along(call, scale, value))]


def _quantize(call: Call) -> list[Tensor]:
    value, scale, zero = call.tensor(0), call.tensor(1), call.optional(2)
    call.require(value.dtype, (FLOAT,))
    target = call.require(np.dtype(np.uint8) if zero is None else zero.dtype, _SMALL)
    limits = np.iinfo(target)
    steps: Tensor = mapped("round", FLOAT, mapped("div", FLOAT, value, _along(call, scale, value)))
    if zero is not None:
        steps = mapped("add", FLOAT, steps, mapped("cast", FLOAT, _along(call, zero, value)))
    steps = mapped("max", FLOAT, steps, number(limits.min, FLOAT))
    steps = mapped("min", FLOAT, steps, number(limits.max, FLOAT))
    return [mapped("cast", target, steps)]


def _along(call: Call, per_axis: Tensor, value: Tensor) -> Tensor:
    """Bring a scale or zero point to the axis that it holds for."""
    if call.attribute("block_size", 0):
        call.refuse("scales of blocks are not supported in C")
    if per_axis.size == 1:
        return flat(per_axis, (1,) * len(value.shape))
    axis = call.axis(1, len(value.shape))
    return flat(per_axis, tuple(s if k == axis else 1 for k, s in enumerate(value.shape)))


OPERATORS: dict[str, Operator] = {
    "DequantizeLinear": _dequantize,
    "QuantizeLinear": _quantize,
}
