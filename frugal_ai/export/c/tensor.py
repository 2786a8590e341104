"""Tensors as formulas, in a handful of kinds that every operator comes to."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from frugal_ai.export.c.scalar import INT64, Array, DType
from frugal_ai.export.c.shapes import Shape


@dataclass(frozen=True, eq=False)
class Tensor:
    """Numbers of one type in a static shape; each kind says which other tensors it is made of.

    Attributes
    ----------
    kept
        Whether the kind is always computed into memory, because an element of it costs more than
        what it is read for.
    """

    dtype: DType
    shape: Shape
    kept: ClassVar[bool] = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def sources(self) -> tuple["Tensor", ...]:
        """Tensors that are read."""
        return self._sources()

    def _sources(self) -> tuple["Tensor", ...]:
        return ()


@dataclass(frozen=True, eq=False)
class Input(Tensor):
    """An input of the graph."""

    name: str


@dataclass(frozen=True, eq=False)
class Constant(Tensor):
    """An array that is known."""

    values: Array


@dataclass(frozen=True, eq=False)
class Map(Tensor):
    """A function of `functions.py`, element by element, of tensors of the same shape."""

    function: str
    operands: tuple[Tensor, ...]

    def _sources(self) -> tuple[Tensor, ...]:
        return self.operands


@dataclass(frozen=True)
class Place:
    """Which element along one axis of the source is read, by the axes of the result.

    Attributes
    ----------
    factors
        Axis of the result and how much a step along it adds.
    lookup
        Whole numbers to add, not negative where they are constant, and the axes of the result that
        its own axes follow; None for none.
    """

    factors: tuple[tuple[int, int], ...] = ()
    offset: int = 0
    lookup: tuple[Tensor, tuple[int, ...]] | None = None


@dataclass(frozen=True, eq=False)
class View(Tensor):
    """Elements of a source in other places: cut, repeated, turned or looked up."""

    source: Tensor
    places: tuple[Place, ...]  # one for each axis of the source

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.source, *self.lookups)

    @property
    def lookups(self) -> tuple[Tensor, ...]:
        """Tensors whose values say which elements are read."""
        return tuple(place.lookup[0] for place in self.places if place.lookup)


@dataclass(frozen=True, eq=False)
class Flat(Tensor):
    """The elements of a source in the same order, in another shape."""

    source: Tensor

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.source,)


@dataclass(frozen=True, eq=False)
class Joined(Tensor):
    """Tensors one after the other along an axis."""

    kept = True
    parts: tuple[Tensor, ...]
    axis: int

    def _sources(self) -> tuple[Tensor, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Reduced(Tensor):
    """A source summed up along some axes, which are left out: ``add``, ``max`` or ``min``."""

    kept = True
    source: Tensor
    axes: tuple[int, ...]
    function: str

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.source,)


@dataclass(frozen=True, eq=False)
class Running(Tensor):
    """Sums of the first 0, 1, ... n elements along an axis, or of the last n, n - 1, ... 0."""

    kept = True
    source: Tensor
    axis: int
    reverse: bool

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.source,)


@dataclass(frozen=True, eq=False)
class Ordered(Tensor):
    """A source sorted along its last axis."""

    kept = True
    source: Tensor
    descending: bool

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.source,)


@dataclass(frozen=True, eq=False)
class Product(Tensor):
    """Matrix product of [..., M, K] and [..., K, N], with equal axes in front."""

    kept = True
    left: Tensor
    right: Tensor

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, eq=False)
class TreeTable:
    """Trees as columns over their nodes, each tree's nodes after its root.

    A branch is the number of a node, or the complement ``~k`` of the number of a leaf.

    Attributes
    ----------
    mode
        0 to 5 for ``<=``, ``<``, ``>=``, ``>``, ``==`` and ``!=`` [nodes].
    missing
        1 where NaN takes the true branch [nodes].
    """

    roots: Array
    feature: Array
    threshold: Array
    mode: Array
    missing: Array
    true_branch: Array
    false_branch: Array
    leaf: Array


@dataclass(frozen=True, eq=False)
class Ensemble(Tensor):
    """Sums of the leaves that the rows of a source [N, F] reach, [N]."""

    kept = True
    source: Tensor
    table: TreeTable

    def _sources(self) -> tuple[Tensor, ...]:
        return (self.source,)


def constant(values: Array) -> Constant:
    """Return an array as a tensor."""
    array = np.asarray(values)
    return Constant(array.dtype, array.shape, array)


def view(source: Tensor, shape: Shape, places: tuple[Place, ...]) -> View:
    """Return elements of a source in other places."""
    return View(source.dtype, shape, source, places)


def flat(source: Tensor, shape: Shape) -> Tensor:
    """Return the same elements in another shape."""
    while isinstance(source, Flat):
        source = source.source
    if source.shape == shape:
        return source
    if isinstance(source, Constant):
        return constant(source.values.reshape(shape))
    return Flat(source.dtype, shape, source)


def broadcast(source: Tensor, shape: Shape) -> Tensor:
    """Repeat a tensor to a shape, axes of size 1 and missing ones in front, as numpy does."""
    if source.shape == shape:
        return source
    if isinstance(source, View) and source.places == _repeating(source.source, source.shape):
        return broadcast(source.source, shape)
    return view(source, shape, _repeating(source, shape))


def _repeating(source: Tensor, shape: Shape) -> tuple[Place, ...]:
    missing = len(shape) - len(source.shape)
    return tuple(
        Place(((axis + missing, 1),)) if size > 1 else Place()
        for axis, size in enumerate(source.shape)
    )


def transposed(source: Tensor, order: tuple[int, ...]) -> Tensor:
    """Return a tensor with its axes in another order."""
    shape = tuple(source.shape[axis] for axis in order)
    if isinstance(source, Constant):
        return constant(np.ascontiguousarray(source.values.transpose(order)))
    if isinstance(source, Map) and all(isinstance(one, Constant) for one in source.operands):
        turned = tuple(transposed(one, order) for one in source.operands)
        return Map(source.dtype, shape, source.function, turned)
    places = tuple(Place(((order.index(axis), 1),)) for axis in range(len(order)))
    return view(source, shape, places)


def sliced(source: Tensor, axis: int, start: int, count: int, step: int = 1) -> Tensor:
    """Cut elements out along an axis."""
    if (start, count, step) == (0, source.shape[axis], 1):
        return source
    shape = (*source.shape[:axis], count, *source.shape[axis + 1 :])
    places = [Place(((k, 1),)) for k in range(len(shape))]
    places[axis] = Place(((axis, step),), start)
    return view(source, shape, tuple(places))


def taken(source: Tensor, indices: Tensor, axis: int) -> Tensor:
    """Look elements up along an axis, as ONNX's Gather does; constant indices count from 0."""
    first, width = source.shape[:axis], len(indices.shape)
    shape = (*first, *indices.shape, *source.shape[axis + 1 :])
    places = [Place(((k if k < axis else k + width - 1, 1),)) for k in range(len(source.shape))]
    places[axis] = Place(lookup=(indices, tuple(range(axis, axis + width))))
    return view(source, shape, tuple(places))


def mapped(function: str, dtype: DType, *operands: Tensor) -> Map:
    """Apply a function element by element, operands repeated to a common shape."""
    shape = np.broadcast_shapes(*(one.shape for one in operands))
    return Map(dtype, shape, function, tuple(broadcast(one, shape) for one in operands))


def number(value: float, dtype: DType = INT64) -> Constant:
    """Return one number as a tensor."""
    return constant(np.asarray(value, dtype))
