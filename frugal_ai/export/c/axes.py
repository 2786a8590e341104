"""Which axis of each tensor is the horizon: the one that outer loops run over."""

from collections.abc import Iterable, Mapping, Sequence

from frugal_ai.export.c.shapes import merged_axes
from frugal_ai.export.c.tensor import (
    Constant,
    Ensemble,
    Flat,
    Joined,
    Map,
    Ordered,
    Product,
    Reduced,
    Running,
    Tensor,
    View,
)


def horizon_axes(ordered: Sequence[Tensor], outputs: Iterable[Tensor]) -> dict[Tensor, int]:
    """Follow the first axis of the outputs that is longer than 1 back through all tensors.

    Parameters
    ----------
    ordered
        All tensors, sources first.

    Returns
    -------
    dict[Tensor, int]
        Without the tensors that have no such axis.
    """
    found: dict[Tensor, int] = {}
    for output in outputs:
        axis = next((k for k, size in enumerate(output.shape) if size > 1), None)
        if axis is not None:
            found.setdefault(output, axis)
    for tensor in reversed(ordered):
        if tensor in found:
            for source, axis in _sources(tensor, found[tensor]):
                if source.shape[axis] > 1:
                    found.setdefault(source, axis)
    return found


def innermost_axes(ordered: Sequence[Tensor], front: Mapping[Tensor, int]) -> dict[Tensor, int]:
    """Return the axis along which constants are read side by side, of those that have such a one.

    Where the outer loops run over the columns of a product, these are the rows of its left side.
    """
    found: dict[Tensor, int] = {}
    for tensor in reversed(ordered):
        if isinstance(tensor, Product) and front.get(tensor) == len(tensor.shape) - 1:
            found.setdefault(tensor.left, len(tensor.left.shape) - 2)
        elif tensor in found and isinstance(tensor, Map | View | Flat):
            for source, axis in _sources(tensor, found[tensor]):
                found.setdefault(source, axis)
    return {tensor: axis for tensor, axis in found.items() if isinstance(tensor, Constant)}


def _sources(tensor: Tensor, axis: int) -> list[tuple[Tensor, int]]:
    """Return the sources that run along with an axis, and which axis of theirs does."""
    found: list[tuple[Tensor, int]] = []
    if isinstance(tensor, Map):
        found = [(one, axis) for one in tensor.operands]
    elif isinstance(tensor, View):
        found = _of_view(tensor, axis)
    elif isinstance(tensor, Flat):
        merged = merged_axes(tensor.source.shape, tensor.shape) or []
        found = [(tensor.source, k) for k, parts in enumerate(merged) if parts == [(axis, 1)]]
    elif isinstance(tensor, Joined | Running) and axis != tensor.axis:
        found = [(one, axis) for one in tensor.sources]
    elif isinstance(tensor, Reduced):
        left = [k for k in range(len(tensor.source.shape)) if k not in tensor.axes]
        found = [(tensor.source, left[axis])]
    elif isinstance(tensor, Ordered) and axis != len(tensor.shape) - 1:
        found = [(tensor.source, axis)]
    elif isinstance(tensor, Product):
        last = len(tensor.shape) - 1
        sides = [] if axis == last else [tensor.left]
        sides += [] if axis == last - 1 else [tensor.right]
        found = [(side, axis) for side in sides]
    elif isinstance(tensor, Ensemble):
        found = [(tensor.source, 0)]
    return found


def _of_view(tensor: View, axis: int) -> list[tuple[Tensor, int]]:
    found: list[tuple[Tensor, int]] = []
    for k, place in enumerate(tensor.places):
        if axis in dict(place.factors):
            found.append((tensor.source, k))
        if place.lookup is not None and axis in place.lookup[1]:
            found.append((place.lookup[0], place.lookup[1].index(axis)))
    return found
