"""Sines of evenly growing angles by the addition theorem, instead of a call of libm for each."""

import math
from functools import reduce

import numpy as np

from frugal_ai.export.c.scalar import DOUBLE, FLOAT, Array
from frugal_ai.export.c.tensor import Constant, Joined, Map, Tensor, View, mapped, number

_QUARTER = math.pi / 2
_MOST = {DOUBLE: 16, FLOAT: 8}  # waves in the longest; the error grows with their number
_TURN = 2 * math.pi * (1 + 1e-6)  # the largest angle of one turn, in single precision
_SINE = (1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880)  # of odd powers, to 1e-8 within an eighth
_COSINE = (1.0, -1 / 2, 1 / 24, -1 / 720, 1 / 40320)  # of even ones
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
    sin, cos = _within_a_turn(angle) or (
        mapped("sin", angle.dtype, angle),
        mapped("cos", angle.dtype, angle),
    )
    pairs: list[tuple[Tensor, Tensor]] = [(sin, cos)]
    for _ in range(most - 1):
        s, c = pairs[-1]
        pairs.append((_sum("add", (s, cos), (c, sin)), _sum("sub", (c, cos), (s, sin))))
    return pairs


def _within_a_turn(angle: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return sine and cosine of an angle from 0 to one turn in single precision, without libm.

    A quarter of what it is beyond half a turn lies within an eighth of a turn, where the first
    terms of the series do; the double of the double is the angle, but for half a turn.
    """
    if angle.dtype != FLOAT or not isinstance(angle, Map) or not _is_part(angle):
        return None

    def plus(one: Tensor, other: float) -> Tensor:
        return mapped("add", FLOAT, one, number(other, FLOAT))

    def times(one: Tensor, other: Tensor | float) -> Tensor:
        factor = other if isinstance(other, Tensor) else number(other, FLOAT)
        return mapped("mul", FLOAT, one, factor)

    near = plus(times(angle, 0.25), -math.pi / 4)
    square = times(near, near)
    series = []
    for first, *rest in (_SINE[::-1], _COSINE[::-1]):
        total = times(square, first)
        for factor in rest[:-1]:
            total = times(square, plus(total, factor))
        series.append(plus(total, rest[-1]))
    sine, cosine = times(near, series[0]), series[1]
    for _ in range(2):
        twice = times(times(sine, cosine), 2.0)
        sine, cosine = twice, plus(times(times(sine, sine), -2.0), 1.0)
    return times(sine, -1.0), times(cosine, -1.0)


def _is_part(angle: Map) -> bool:
    """Say whether an angle is what is left of a time after whole turns."""
    if angle.function != "mul":
        return False
    time, turn = angle.operands
    left = time.operands[0] if isinstance(time, Map) and time.function == "cast" else None
    if not isinstance(left, Map) or left.function != "mod":
        return False
    length, factor = (_number(one) for one in (left.operands[1], turn))
    return length is not None and factor is not None and 0 < length * factor <= _TURN


def _number(tensor: Tensor) -> float | None:
    """Return a constant that is one number, repeated or not."""
    source = tensor.source if isinstance(tensor, View) else tensor
    if not isinstance(source, Constant) or source.size != 1:
        return None
    return float(source.values.reshape(-1)[0])


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
