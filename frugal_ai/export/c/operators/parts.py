"""A slice of what was joined is one of the parts, and is computed alone."""

from frugal_ai.export.c.shapes import Shape, merged_axes
from frugal_ai.export.c.tensor import Flat, Joined, Map, Reduced, Tensor, flat, sliced

Slice = tuple[Tensor, int, int, int]  # of a tensor, along an axis, from where on, how many
Memo = dict[Slice, Tensor | None]


def part(memo: Memo, given: Slice) -> Tensor | None:
    """Return a slice that lies within one part of a joined tensor, None where it does not.

    It is looked for behind functions element by element and behind sums along other axes.
    """
    if given not in memo:
        memo[given] = _found(memo, given)
    return memo[given]


def _found(memo: Memo, given: Slice) -> Tensor | None:
    tensor, axis, _, count = given
    if isinstance(tensor, Joined) and axis == tensor.axis:
        return _of_joined(tensor, given)
    shape = (*tensor.shape[:axis], count, *tensor.shape[axis + 1 :])
    if isinstance(tensor, Map):
        return _of_map(memo, tensor, given, shape)
    found = None
    if isinstance(tensor, Reduced):
        left = [k for k in range(len(tensor.source.shape)) if k not in tensor.axes]
        inner = part(memo, (tensor.source, left[axis], *given[2:]))
        found = inner and Reduced(tensor.dtype, shape, inner, tensor.axes, tensor.function)
    elif isinstance(tensor, Flat):
        axes = merged_axes(tensor.source.shape, tensor.shape) or []
        if [(axis, 1)] in axes:
            inner = part(memo, (tensor.source, axes.index([(axis, 1)]), *given[2:]))
            found = inner and flat(inner, shape)
    return found


def _of_joined(tensor: Joined, given: Slice) -> Tensor | None:
    _, axis, start, count = given
    for one in tensor.parts:
        size = one.shape[axis]
        if start >= 0 and start + count <= size:
            return sliced(one, axis, start, count)
        start -= size
    return None


def _of_map(memo: Memo, tensor: Map, given: Slice, shape: Shape) -> Tensor | None:
    found = [part(memo, (one, *given[1:])) for one in tensor.operands]
    if not any(found):
        return None
    operands = tuple(
        one or sliced(operand, *given[1:])
        for one, operand in zip(found, tensor.operands, strict=True)
    )
    return Map(tensor.dtype, shape, tensor.function, operands)
