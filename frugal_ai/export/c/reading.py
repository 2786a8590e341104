"""How an element of a tensor is read: from memory, or computed from what it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from frugal_ai.export.c.expression import Apply, Count, Expr, Index, Literal, Load, Memory
from frugal_ai.export.c.scalar import INT32, INT64, Array, DType, smallest
from frugal_ai.export.c.shapes import Shape, in_front, merged_axes, strides_of
from frugal_ai.export.c.tensor import Constant, Flat, Input, Map, Tensor, View

Indices = Sequence[Index]
# function, the operand that is left, the value of the other
_IDENTITIES = {
    ("add", 0, 0), ("add", 1, 0), ("sub", 0, 0), ("mul", 0, 1), ("mul", 1, 1), ("div", 0, 1),
}  # fmt: skip


@dataclass
class Reader:
    """Writes elements of tensors as scalar expressions.

    Attributes
    ----------
    arguments
        The inputs of the graph, by name.
    front, back
        Axis that outer loops run over, and one that is read side by side, of the tensors that have
        such; tables have the one in front and the other last.
    kept
        Memory of the tensors that are computed into memory, and the step along each axis in it.
    tables
        Constants that were read, by content.
    """

    arguments: Mapping[str, Memory]
    front: Mapping[Tensor, int] = field(default_factory=dict)
    back: Mapping[Tensor, int] = field(default_factory=dict)
    kept: dict[Tensor, tuple[Memory, Shape]] = field(default_factory=dict)
    tables: dict[tuple[str, bytes], Memory] = field(default_factory=dict)

    def read(self, tensor: Tensor, at: Indices) -> Expr:
        """Return one element of a tensor."""
        if tensor in self.kept:
            memory, strides = self.kept[tensor]
            return Load(memory, strided_index(at, strides))
        if isinstance(tensor, Flat):
            return self._flat(tensor, at)
        if isinstance(tensor, Input):
            return Load(self.arguments[tensor.name], flat_index(at, tensor.shape))
        if isinstance(tensor, Constant):
            return self._constant(tensor, at)
        if isinstance(tensor, Map):
            args = tuple(self.read(one, at) for one in tensor.operands)
            return applied(tensor.function, args, tensor.dtype)
        if isinstance(tensor, View):
            return self.read(tensor.source, self._source_places(tensor, at))
        raise AssertionError(f"{type(tensor).__name__} {tensor.shape} stands in memory")

    def linear(self, tensor: Tensor) -> Memory:
        """Return the memory in which a tensor's elements stand in order."""
        while isinstance(tensor, Flat) and tensor not in self.kept:
            tensor = tensor.source
        if isinstance(tensor, Input):
            return self.arguments[tensor.name]
        return self.kept[tensor][0]

    def _flat(self, tensor: Flat, at: Indices) -> Expr:
        merged = merged_axes(tensor.source.shape, tensor.shape)
        if merged is not None:
            return self.read(tensor.source, [_merge(at, axes) for axes in merged])
        return Load(self.linear(tensor), flat_index(at, tensor.shape))

    def _source_places(self, tensor: View, at: Indices) -> list[Index]:
        found = []
        for axis, place in enumerate(tensor.places):
            index = Index((), place.offset)
            for along, factor in place.factors:
                index = index + at[along] * factor
            if place.lookup is not None:
                table, axes = place.lookup
                where = [at[along] for along in axes]
                index = index + self._looked_up(table, where, tensor.source.shape[axis])
            found.append(index)
        return found

    def _looked_up(self, table: Tensor, at: Indices, size: int) -> Index:
        if isinstance(table, Constant):
            affine, rest = self._split(table, at)
            return affine if rest is None else affine + Index(((rest, 1),))
        value = self.read(table, at)
        return Index(((Apply("wrap", (value, Literal(size, INT32)), INT32), 1),))

    def _constant(self, tensor: Constant, at: Indices) -> Expr:
        if tensor.dtype.kind not in "iu":
            found = self._table(tensor, tensor.values, at)
            return found if isinstance(found, Load) else Literal(found, tensor.dtype)
        affine, rest = self._split(tensor, at)
        whole = Count(affine, tensor.dtype) if affine.terms else None
        offset = Literal(affine.offset, tensor.dtype)
        if rest is None:
            return whole or offset
        value: Expr = rest
        if rest.dtype != tensor.dtype:
            value = Apply("cast", (rest,), tensor.dtype)
        return applied("add", (whole or offset, value), tensor.dtype)

    def _split(self, tensor: Constant, at: Indices) -> tuple[Index, Load | None]:
        """Split whole numbers into what grows evenly with the indices and a table of the rest."""
        factors, rest = affine_part(tensor)
        index = Index()
        for along, factor in enumerate(factors):
            index = index + at[along] * factor
        found = self._table(tensor, smallest(rest), at)
        return (index, found) if isinstance(found, Load) else (index + int(found), None)

    def _table(self, tensor: Constant, values: Array, at: Indices) -> Load | float:
        """Return an element of a table, or its value where it is always the same."""
        order = in_front(values.shape, self.front.get(tensor))
        if tensor in self.back:
            order.append(order.pop(order.index(self.back[tensor])))
        narrow, kept = _repeated(values.transpose(order))
        where = flat_index([at[order[axis]] for axis in kept], narrow.shape)
        stored = np.ascontiguousarray(narrow).reshape(-1)
        if not where.terms:
            value: float = stored[where.offset].item()
            return value
        key = (stored.dtype.str, stored.tobytes())
        if key not in self.tables:
            name = f"c{len(self.tables)}"
            self.tables[key] = Memory(name, stored.dtype, stored.size, stored)
        return Load(self.tables[key], where)


def applied(function: str, args: tuple[Expr, ...], dtype: DType) -> Expr:
    """Apply a function, unless it adds or takes away a whole number 0 or multiplies by 1."""
    for k, other in enumerate(reversed(args)):
        if not isinstance(other, Literal) or (function != "mul" and other.dtype.kind == "f"):
            continue
        if (function, k, other.value) in _IDENTITIES:
            return args[k]
    return Apply(function, args, dtype)


def strided_index(at: Indices, strides: Shape) -> Index:
    """Return where an element stands in memory."""
    index = Index()
    for where, stride in zip(at, strides, strict=True):
        index = index + where * stride
    return index


def flat_index(at: Indices, shape: Shape) -> Index:
    """Return where an element stands when the last axis runs fastest."""
    return strided_index(at, strides_of(shape))


def _merge(at: Indices, axes: Sequence[tuple[int, int]]) -> Index:
    index = Index()
    for axis, factor in axes:
        index = index + at[axis] * factor
    return index


def _repeated(values: Array) -> tuple[Array, list[int]]:
    """Drop the axes along which an array repeats itself; return what is left and its axes."""
    kept = list(range(values.ndim))
    for axis in reversed(range(values.ndim)):
        first = values.take([0], axis=axis)
        same = values == first if values.dtype.kind != "f" else _same_bits(values, first)
        if bool(np.all(same)):
            values = first.squeeze(axis)
            kept.pop(axis)
    return values, kept


def _same_bits(values: Array, first: Array) -> Array:
    """Compare so that NaN equals itself and -0 does not equal 0."""
    bits = np.dtype(f"u{values.itemsize}")
    left, right = (np.ascontiguousarray(one).view(bits) for one in (values, first))
    return np.asarray(left == right)


def affine_part(tensor: Constant) -> tuple[tuple[int, ...], Array]:
    """Split whole numbers into a factor for each axis and what is left.

    An axis along which all steps are equal has their size as its factor, the others 0. Where the
    numbers are too large for the index of an array, all factors are 0.
    """
    values = tensor.values.astype(np.int64)
    factors = []
    limit = np.iinfo(np.int32).max
    small = bool(np.abs(values).max(initial=0) < limit) and tensor.dtype in (INT64, INT32)
    for axis, size in enumerate(values.shape):
        steps = np.diff(values, axis=axis)
        even = small and size > 1 and bool((steps == steps.flat[0]).all())
        factors.append(int(steps.flat[0]) if even else 0)
        if even:
            along = np.arange(size).reshape([-1 if k == axis else 1 for k in range(values.ndim)])
            values = values - factors[-1] * along
    return tuple(factors), values
