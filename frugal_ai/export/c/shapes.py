"""Axes of tensors: how far apart their elements stand, and how one shape becomes another."""

import math
from collections.abc import Sequence
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]


def strides_of(shape: Shape, order: Sequence[int] | None = None) -> Shape:
    """Return the step along each axis when the last one in an order runs fastest."""
    strides, stride = [0] * len(shape), 1
    for axis in reversed(range(len(shape)) if order is None else order):
        strides[axis] = stride
        stride *= shape[axis]
    return tuple(strides)


def in_front(shape: Sequence[int], axis: int | None) -> list[int]:
    """Return all axes with one of them in front."""
    axes = list(range(len(shape)))
    if axis is not None:
        axes.insert(0, axes.pop(axis))
    return axes


def merged_axes(source: Shape, target: Shape) -> list[list[tuple[int, int]]] | None:
    """Return each source axis as axes of the target with factors.

    Returns
    -------
    list or None
        None where an axis of the target runs over several of the source, so that its index would
        have to be divided.
    """
    found: list[list[tuple[int, int]]] = [[] for _ in source]
    for from_axes, to_axes in _groups(source, target):
        if len(from_axes) > 1:
            return None
        factor = 1
        for axis in reversed(to_axes):
            found[from_axes[0]].append((axis, factor))
            factor *= target[axis]
    return found


def _groups(source: Shape, target: Shape) -> list[tuple[list[int], list[int]]]:
    """Pair the fewest axes, but those of size 1, that hold equally many elements."""
    pending = [axis for axis, size in enumerate(source) if size > 1]
    others = [axis for axis, size in enumerate(target) if size > 1]
    groups = []
    while pending:
        left, right = [pending.pop(0)], [others.pop(0)]
        while (a := _size(source, left)) != (b := _size(target, right)):
            if a < b:
                left.append(pending.pop(0))
            else:
                right.append(others.pop(0))
        groups.append((left, right))
    return groups


def _size(shape: Shape, axes: Sequence[int]) -> int:
    return math.prod(shape[axis] for axis in axes)


def common_factors(source: Shape, target: Shape) -> list[tuple[int, int, int]] | None:
    """Cut two shapes of equally many elements into the same axes.

    Returns
    -------
    list or None
        Size of each, and the axis of source and target that it is a part of, the last first; None
        where a part would be no whole number.
    """
    found = []
    left, right = list(source), list(target)
    i, j = len(left) - 1, len(right) - 1
    while i >= 0 and j >= 0:
        if left[i] == 1:
            i -= 1
        elif right[j] == 1:
            j -= 1
        else:
            size = min(left[i], right[j])
            if left[i] % size or right[j] % size:
                return None
            found.append((size, i, j))
            left[i] //= size
            right[j] //= size
    return found
