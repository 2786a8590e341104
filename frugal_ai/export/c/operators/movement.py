"""Operators that move elements and compute nothing."""

import math
from collections.abc import Sequence

import numpy as np

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.scalar import Array
from frugal_ai.export.c.shapes import Shape, common_factors
from frugal_ai.export.c.tensor import (
    Flat,
    Joined,
    Place,
    Tensor,
    broadcast,
    constant,
    flat,
    sliced,
    taken,
    transposed,
    view,
)

_MOST_PIECES = 64


def _axes(call: Call, number: int, rank: int) -> list[int] | None:
    """Return axes that are an attribute in old operator sets and an input in newer ones."""
    given = call.attribute("axes")
    if given is None and call.optional(number) is not None:
        given = call.whole_numbers(number, "axes")
    return None if given is None else [axis + rank if axis < 0 else axis for axis in given]


def _squeeze(call: Call) -> list[Tensor]:
    value = call.tensor()
    axes = _axes(call, 1, len(value.shape))
    if axes is None:
        axes = [axis for axis, size in enumerate(value.shape) if size == 1]
    return [flat(value, tuple(s for k, s in enumerate(value.shape) if k not in axes))]


def _unsqueeze(call: Call) -> list[Tensor]:
    value = call.tensor()
    given = call.attribute("axes")
    count = len(given) if given is not None else len(call.whole_numbers(1, "axes"))
    rank = len(value.shape) + count
    axes = _axes(call, 1, rank) or []
    sizes = iter(value.shape)
    return [flat(value, tuple(1 if k in axes else next(sizes) for k in range(rank)))]


def _reshape(call: Call) -> list[Tensor]:
    value = call.tensor()
    wanted = call.whole_numbers(1, "shape")
    if not call.attribute("allowzero", 0):
        wanted = [value.shape[k] if size == 0 else size for k, size in enumerate(wanted)]
    if -1 in wanted:
        rest = math.prod(size for size in wanted if size != -1)
        wanted[wanted.index(-1)] = value.size // rest if rest else 0
    if math.prod(wanted) != value.size or not value.size:
        call.refuse(f"expected a shape of {value.size} elements, got {wanted}")
    return [flat(value, tuple(wanted))]


def _flatten(call: Call) -> list[Tensor]:
    value = call.tensor()
    axis = call.axis(1, len(value.shape))
    return [flat(value, (math.prod(value.shape[:axis]), math.prod(value.shape[axis:])))]


def _expand(call: Call) -> list[Tensor]:
    value = call.tensor()
    shape = np.broadcast_shapes(value.shape, tuple(call.whole_numbers(1, "shape")))
    return [broadcast(value, _filled(call, shape))]


def _filled(call: Call, shape: Shape) -> Shape:
    return shape if math.prod(shape) else call.refuse(f"expected elements, got shape {list(shape)}")


def _transpose(call: Call) -> list[Tensor]:
    value = call.tensor()
    order = call.attribute("perm", list(reversed(range(len(value.shape)))))
    return [transposed(value, tuple(order))]


def _concat(call: Call) -> list[Tensor]:
    parts = tuple(one for one in call.tensors if one is not None and one.size)
    axis = call.axis(0, len(parts[0].shape))
    if len(parts) == 1:
        return [parts[0]]
    total = sum(one.shape[axis] for one in parts)
    first = parts[0].shape
    shape = (*first[:axis], total, *first[axis + 1 :])
    return [Joined(parts[0].dtype, shape, parts, axis)]


def _split(call: Call) -> list[Tensor]:
    value = call.tensor()
    axis = call.axis(0, len(value.shape))
    size, count = value.shape[axis], len(call.node.outputs)
    each = -(-size // count)
    sizes: Sequence[int] = [min(each, size - k * each) for k in range(count)]
    if call.attribute("split") is not None:
        sizes = call.attribute("split")
    elif call.optional(1) is not None:
        sizes = call.whole_numbers(1, "sizes")
    starts = np.cumsum([0, *sizes[:-1]])
    return [sliced(value, axis, int(s), n) for s, n in zip(starts, sizes, strict=True)]


def _pad(call: Call) -> list[Tensor]:
    value = call.tensor()
    if call.attribute("mode", "constant") != "constant":
        call.refuse("expected mode=constant")
    pads, rank = call.whole_numbers(1, "pads"), len(value.shape)
    axes = call.whole_numbers(3, "axes") if call.optional(3) is not None else list(range(rank))
    if min(pads, default=0) < 0:
        call.refuse("expected no negative pads")
    fill = call.constant(2, "value") if call.optional(2) is not None else np.zeros(1, value.dtype)
    for k, axis in enumerate(axes):
        before, after = pads[k], pads[k + len(axes)]
        parts = [(before, None), (0, value), (after, None)]
        made = tuple(
            part or _filled_with(fill, value, axis % rank, n) for n, part in parts if part or n
        )
        if len(made) > 1:
            size = value.shape[axis] + before + after
            shape = tuple(size if a == axis % rank else s for a, s in enumerate(value.shape))
            value = Joined(value.dtype, shape, made, axis % rank)
    return [value]


def _filled_with(fill: Array, like: Tensor, axis: int, count: int) -> Tensor:
    shape = tuple(count if a == axis else size for a, size in enumerate(like.shape))
    return constant(np.full(shape, fill.reshape(-1)[0], like.dtype))


def _slice(call: Call) -> list[Tensor]:
    value = call.tensor()
    starts, ends = call.whole_numbers(1, "starts"), call.whole_numbers(2, "ends")
    axes = list(range(len(starts)))
    if call.optional(3) is not None:
        axes = call.whole_numbers(3, "axes")
    steps = [1] * len(starts)
    if call.optional(4) is not None:
        steps = call.whole_numbers(4, "steps")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(*slice(start, end, step).indices(value.shape[axis]))
        if step < 0 and end < -value.shape[axis]:  # from the start on, as Python has no word for
            places = range(*slice(start, None, step).indices(value.shape[axis]))
        if not places:
            call.refuse("expected at least one element in the slice")
        rank = len(value.shape)
        value = call.cut(value, axis % rank, places)
    return [value]


def _gather(call: Call) -> list[Tensor]:
    value, indices = call.tensor(0), call.tensor(1)
    axis = call.axis(0, len(value.shape))
    size = value.shape[axis]
    known = call.values[1]
    if known is not None:
        if known.size and not (-size <= known.min() and known.max() < size):
            call.refuse(f"expected indices from {-size} to {size - 1}, got {known.tolist()}")
        counted = np.where(known < 0, known + size, known).astype(np.int64)
        if not counted.ndim:  # one element: the axis is cut and dropped
            one = call.cut(value, axis, range(int(counted), int(counted) + 1))
            return [flat(one, (*value.shape[:axis], *value.shape[axis + 1 :]))]
        pieces = _pieces(call, value, counted, axis)
        if pieces is not None:
            return [pieces]
        if isinstance(value, Flat):
            looked_up = _behind(value, counted, axis)
            if looked_up is not None:
                return [looked_up]
        indices = constant(counted)
    return [taken(value, indices, axis)]


def _pieces(call: Call, value: Tensor, indices: Array, axis: int) -> Tensor | None:
    """Take elements out of joined parts part by part, so that none is written twice."""
    if not isinstance(value, Joined) or value.axis != axis or indices.ndim != 1:
        return None
    sizes = [part.shape[axis] for part in value.parts]
    of = np.repeat(np.arange(len(sizes)), sizes)[indices]
    runs = _runs(indices, of)
    if len(runs) > _MOST_PIECES:
        return None
    starts = np.cumsum([0, *sizes[:-1]])
    made = []
    for first, count, step in runs:
        part, start = value.parts[of[first]], int(indices[first] - starts[of[first]])
        if step > 0:
            made.append(call.cut(part, axis, range(start, start + (count - 1) * step + 1, step)))
        else:
            made.append(sliced(part, axis, start, count, step))
    if len(made) == 1:
        return made[0]
    shape = tuple(indices.size if k == axis else size for k, size in enumerate(value.shape))
    return Joined(value.dtype, shape, tuple(made), axis)


def _behind(value: Flat, indices: Array, axis: int) -> Tensor | None:
    """Take elements of a tensor in another shape straight out of its source."""
    source, target = value.source.shape, value.shape
    factors = common_factors(source, target)
    others = [j for _, _, j in factors or [] if j != axis]
    if factors is None or len(set(others)) < len(others):
        return None
    width = indices.ndim
    affine: list[list[tuple[int, int]]] = [[] for _ in source]
    tables = [np.zeros_like(indices) for _ in source]
    steps, digit = [1] * len(source), 1
    for size, i, j in factors:
        if j == axis:
            tables[i] = tables[i] + indices // digit % size * steps[i]
            digit *= size
        else:
            affine[i].append((j if j < axis else j + width - 1, steps[i]))
        steps[i] *= size
    along = tuple(range(axis, axis + width))
    places = tuple(
        Place(tuple(one), lookup=(constant(table), along) if table.any() else None)
        for one, table in zip(affine, tables, strict=True)
    )
    return view(value.source, (*target[:axis], *indices.shape, *target[axis + 1 :]), places)


def _runs(indices: Array, of: Array) -> list[tuple[int, int, int]]:
    """Cut indices into runs within one part with equal steps: where, how many, step."""
    runs: list[tuple[int, int, int]] = []
    first = 0
    while first < indices.size:
        step, count = 1, 1
        for k in range(first + 1, indices.size):
            if of[k] != of[first]:
                break
            if count == 1:
                step = int(indices[k] - indices[k - 1])
            elif indices[k] - indices[k - 1] != step:
                break
            count += 1
        runs.append((first, count, step))
        first += count
    return runs


OPERATORS: dict[str, Operator] = {
    "Concat": _concat,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": lambda call: [call.tensor()],
    "Pad": _pad,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
