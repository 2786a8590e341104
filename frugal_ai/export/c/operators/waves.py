"""Sines of evenly growing angles by the addition theorem, instead of a call of libm for each."""

import math
from functools import reduce

import numpy as np

from frugal_ai.export.c.scalar import DOUBLE, FLOAT, Array
from frugal_ai.export.c.tensor import Constant, Joined, Map, Tensor, View, mapped, number

_QUARTER = math.pi / 2
_MOST = {DOUBLE: 16, FLOAT: 8}  # waves in the longest; the error grows with their number
_WHOLE = {DOUBLE: 1e-12, FLOAT: 5e-7}  # relative distance from a whole number


def sine(angle: Tensor) -> Tensor:
    """Return the sine of angles [rad].

    A sine a quarter ahead is a cosine. Of angles ``x * factors + shifts`` where the factors are
    whole multiples of the first, only the first wave is computed by libm.
    """
    if isinstance(angle, Map) and angle.function == "add" and angle.dtype in _MOST:
        turned, shift = angle.operands
        for axis in range(len(angle.shape)):
            shifts = _along(shift, axis)
            if shifts is not None:
                if bool((shifts == shifts.dtype.type(_QUARTER)).all()):
                    return mapped("cos", angle.dtype, turned)
                waves = _waves(angle, turned, shifts, axis)
                if waves is not None:
                    return waves
    return mapped("sin", angle.dtype, angle)


def _waves(angle: Tensor, turned: Tensor, shifts: Array, axis: int) -> Tensor | None:
    count = angle.shape[axis]
    if not (isinstance(turned, Map) and turned.function == "mul" and count > 2):
        return None
    time, factor = _repeated(turned.operands[0], axis), _along(turned.operands[1], axis)
    if time is None or factor is None:
        return None
    dtype = angle.dtype
    factors, shifts = (np.broadcast_to(one, (count,)).astype(DOUBLE) for one in (factor, shifts))
    counts = np.rint(factors / factors[0]).astype(np.int64)
    exact = np.allclose(counts * factors[0], factors, rtol=_WHOLE[dtype], atol=0)
    if not exact or counts.min() < 1 or counts.max() > _MOST[dtype]:
        return None
    first = mapped("mul", dtype, time, number(float(factors[0]), dtype))
    pairs = _multiples(first, int(counts.max()))
    parts = tuple(_shifted(pairs[n - 1], shift) for n, shift in zip(counts, shifts, strict=True))
    return Joined(dtype, angle.shape, parts, axis)


def _multiples(angle: Tensor, most: int) -> list[tuple[Tensor, Tensor]]:
    """Return sine and cosine of 1, 2, ... times an angle."""
    sin, cos = (mapped(function, angle.dtype, angle) for function in ("sin", "cos"))
    pairs: list[tuple[Tensor, Tensor]] = [(sin, cos)]
    for _ in range(most - 1):
        s, c = pairs[-1]
        pairs.append((_sum("add", (s, cos), (c, sin)), _sum("sub", (c, cos), (s, sin))))
    return pairs


def _shifted(pair: tuple[Tensor, Tensor], shift: float) -> Tensor:
    """Return the sine of an angle and a shift from sine and cosine of the angle."""
    dtype = pair[0].dtype
    if shift in (0.0, dtype.type(_QUARTER)):
        return pair[int(shift > 0)]
    factors = (number(turn(shift), dtype) for turn in (math.cos, math.sin))
    return _sum("add", *zip(pair, factors, strict=True))


def _sum(function: str, *products: tuple[Tensor, Tensor]) -> Tensor:
    terms = [mapped("mul", left.dtype, left, right) for left, right in products]
    return reduce(lambda one, other: mapped(function, one.dtype, one, other), terms)


def _along(tensor: Tensor, axis: int) -> Array | None:
    """Return constant values that change along one axis alone, if these are such."""
    repeats = isinstance(tensor, View)
    source = tensor.source if isinstance(tensor, View) else tensor
    if not isinstance(source, Constant) or (isinstance(tensor, View) and tensor.lookups):
        return None
    own = axis - (len(tensor.shape) - len(source.shape))
    size = source.shape[own] if own >= 0 else 1
    plain = not repeats or tensor.shape == np.broadcast_shapes(tensor.shape, source.shape)
    return source.values.reshape(-1) if source.size == size and plain else None


def _repeated(tensor: Tensor, axis: int) -> Tensor | None:
    """Return what is repeated along one axis, with that axis of size 1."""
    if not isinstance(tensor, View) or tensor.lookups:
        return None
    shape = tuple(1 if k == axis else size for k, size in enumerate(tensor.shape))
    source = tensor.source
    missing = len(shape) - len(source.shape)
    return source if (1,) * missing + source.shape == shape else None
