"""From tensors to loop nests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from frugal_ai.export.c.axes import horizon_axes, innermost_axes
from frugal_ai.export.c.expression import Apply, Expr, Index, Literal, Load, Memory, Trees, Var
from frugal_ai.export.c.kernel import Accumulate, For, Nest, Scan, Sort, Statement, Store, nest
from frugal_ai.export.c.reading import Indices, Reader, applied, flat_index
from frugal_ai.export.c.shapes import Shape, in_front, merged_axes, strides_of
from frugal_ai.export.c.storage import Storage, choose_storage
from frugal_ai.export.c.tensor import (
    Ensemble,
    Flat,
    Joined,
    Ordered,
    Product,
    Reduced,
    Running,
    Tensor,
    TreeTable,
)

_UNROLLED = 2  # steps of an inner loop that are written one by one
_WIDE, _STEPS = 4, 4  # columns that make a vector, and products that are added up at once
_SPARSE = 16  # rows and columns of a matrix whose zeros are left out
_NAMES = "ijklmnopqr"  # of loop variables, from the outermost on


@dataclass(frozen=True)
class Program:
    """Loop nests in an order in which they can be run, and what they touch.

    Attributes
    ----------
    tables
        Constant arrays.
    ensembles
        Trees, by the name of the function that adds them up.
    """

    nests: tuple[Nest, ...]
    tables: tuple[Memory, ...]
    ensembles: Mapping[str, TreeTable]


@dataclass(frozen=True)
class _Target:
    """Where a tensor is written: a stride for each axis."""

    memory: Memory
    strides: tuple[int, ...]
    offset: int = 0

    def at(self, indices: Indices) -> Load:
        place = Index((), self.offset)
        for index, stride in zip(indices, self.strides, strict=True):
            place = place + index * stride
        return Load(self.memory, place)


def lower(
    outputs: Mapping[str, Tensor], arguments: Mapping[str, Memory], results: Mapping[str, Memory]
) -> Program:
    """Write the computation of some outputs as loop nests.

    Parameters
    ----------
    outputs
        By name.
    arguments
        Memory of the inputs, by name.
    results
        Memory that the outputs go to, by name.
    """
    storage = choose_storage(outputs.values())
    front = horizon_axes(storage.ordered, outputs.values())
    back = innermost_axes(storage.ordered, front)
    lowering = _Lowering(Reader(arguments, front, back), storage)
    for tensor in storage.ordered:
        if tensor in storage.kept:
            lowering.keep(tensor)
    for name, tensor in outputs.items():
        lowering.store(tensor, _Target(results[name], strides_of(tensor.shape)))
    tables = tuple(lowering.reader.tables.values())
    return Program(tuple(lowering.nests), tables, lowering.ensembles)


class _Lowering:
    def __init__(self, reader: Reader, storage: Storage) -> None:
        self.reader = reader
        self.nests: list[Nest] = []
        self.ensembles: dict[str, TreeTable] = {}
        self._storage = storage
        self._front = reader.front

    def keep(self, tensor: Tensor) -> None:
        """Compute a tensor into memory of its own."""
        memory = Memory("", tensor.dtype, tensor.size)
        front = None if tensor in self._storage.in_order else self._front.get(tensor)
        if isinstance(tensor, Ordered) and front == len(tensor.shape) - 1:
            front = None  # what is sorted stands side by side
        target = _Target(memory, strides_of(tensor.shape, in_front(tensor.shape, front)))
        if isinstance(tensor, Reduced):
            self._reduce(tensor, target)
        elif isinstance(tensor, Running):
            self._scan(tensor, target)
        elif isinstance(tensor, Ordered):
            self._sort(tensor, target)
        elif isinstance(tensor, Product):
            self._multiply(tensor, target)
        elif isinstance(tensor, Ensemble):
            self._trees(tensor, target)
        else:
            self.store(tensor, target)
        self.reader.kept[tensor] = (memory, target.strides)

    def store(self, tensor: Tensor, target: _Target) -> None:
        """Write a tensor somewhere, element by element or part by part."""
        if isinstance(tensor, Joined) and tensor not in self.reader.kept:
            self._store_parts(tensor, target)
            return
        if isinstance(tensor, Flat) and tensor in self._storage.pushed:
            split = merged_axes(tensor.shape, tensor.source.shape) or []
            self.store(tensor.source, _split(target, tensor.source.shape, split))
            return
        loops, at = _loops(tensor.shape, self._front.get(tensor))
        places = [at]
        if len(loops) > 1 and loops[-1].size <= _UNROLLED:
            *loops_, last = loops
            loops = tuple(loops_)
            along = at.index(Index.of(last))
            places = [_put(at, along, Index((), step)) for step in range(last.size)]
        stores = [Store(target.at(one), self.reader.read(tensor, one)) for one in places]
        self._add(loops, *stores)

    def _store_parts(self, tensor: Joined, target: _Target) -> None:
        offset, stride = target.offset, target.strides[tensor.axis]
        for part in tensor.parts:
            self.store(part, _Target(target.memory, target.strides, offset))
            offset += stride * part.shape[tensor.axis]

    def _add(self, loops: tuple[Var, ...], *inner: Statement) -> None:
        self.nests.append(nest(loops, *inner))

    def _reduce(self, tensor: Reduced, target: _Target) -> None:
        loops, at = _loops(tensor.shape, self._front.get(tensor))
        inner, along = _loops([tensor.source.shape[k] for k in tensor.axes], depth=len(loops))
        place = target.at(at)
        full = _woven(at, along, tensor.axes)
        value = self.reader.read(tensor.source, full)
        statement = Accumulate(tensor.function, inner, ((place, value),))
        self._add(loops, statement if inner else Store(place, value))

    def _scan(self, tensor: Running, target: _Target) -> None:
        source, axis = tensor.source.shape, tensor.axis
        rows = [1 if k == axis else size for k, size in enumerate(source)]
        loops, at = _loops(rows, self._front.get(tensor))
        var = Var(_NAMES[len(loops)], source[axis])
        step = Index(((var, 1),))
        first, last = Index(), Index((), source[axis])
        start, place, reached = first, step, step + 1
        if tensor.reverse:
            place = step * -1 + (source[axis] - 1)
            start, reached = last, place
        value = self.reader.read(tensor.source, _put(at, axis, place))
        scan = Scan(
            target.at(_put(at, axis, start)), var, target.at(_put(at, axis, reached)), value
        )
        self._add(loops, scan)

    def _sort(self, tensor: Ordered, target: _Target) -> None:
        *rows, count = tensor.shape
        loops, at = _loops([*rows, 1], self._front.get(tensor))
        inner, last = _loops([count], depth=len(loops))
        place = [*at[:-1], *last]
        fill: Statement = Store(target.at(place), self.reader.read(tensor.source, place))
        for var in inner:
            fill = For(var, (fill,))
        first = target.at(at)
        self._add(loops, fill, Sort(first, count, tensor.descending))

    def _multiply(self, tensor: Product, target: _Target) -> None:
        *batch, rows, columns = tensor.shape
        front = self._front.get(tensor)
        side = -2 if front == len(tensor.shape) - 1 else -1  # the axis that is summed side by side
        loops, at = _loops([*batch, *((1, columns) if side == -2 else (rows, 1))], front)
        if side == -2 and self._multiply_sparse(tensor, target, loops, at):
            return
        size, inner = tensor.shape[side], tensor.left.shape[-1]
        if size >= _WIDE and inner > _STEPS:
            self._add(loops, *self._multiply_wide(tensor, target, at, side))
            return
        var = Var(_NAMES[len(loops)], size)
        places = [_put(at, len(at) + side, Index((), k)) for k in range(size)]
        if size > _WIDE:
            loops, places = (*loops, var), [_put(at, len(at) + side, Index.of(var))]
        inside, along = _loops([inner], depth=len(loops))
        terms = tuple(self._term(tensor, target, place, along[0]) for place in places)
        if inside:
            self._add(loops, Accumulate("add", inside, terms))
        else:
            self._add(loops, *(Store(*term) for term in terms))

    def _multiply_wide(
        self, tensor: Product, target: _Target, at: Indices, side: int
    ) -> list[Statement]:
        """Sum a row up in memory, some steps at a time: loops that compilers do in vectors."""
        size, inner = tensor.shape[side], tensor.left.shape[-1]
        depth = sum(bool(index.terms) for index in at)
        step, across = Var(_NAMES[depth], inner // _STEPS), Var(_NAMES[depth + 1], size)
        place = _put(at, len(at) + side, Index.of(across))
        here = target.at(place)
        whole = [Index.of(step) * _STEPS + k for k in range(_STEPS)]
        rest = [Index((), k) for k in range(inner - inner % _STEPS, inner)]
        start = For(across, (Store(here, Literal(0, tensor.dtype)),))
        sums: list[Statement] = []
        for along in (whole, rest):
            terms = [self._term(tensor, target, place, k)[1] for k in along]
            if terms:
                total = Apply("add", (here, _paired(terms)), tensor.dtype)
                sums.append(For(across, (Store(here, total),)))
        if step.size > 1:
            sums[0] = For(step, (sums[0],))
        return [start, *sums]

    def _multiply_sparse(
        self, tensor: Product, target: _Target, loops: tuple[Var, ...], at: Indices
    ) -> bool:
        """Multiply by a small constant matrix that is mostly 0; say whether it is one."""
        *_, rows, inner = tensor.left.shape
        if rows > _SPARSE or inner > _SPARSE:
            return False
        stores = []
        for row in range(rows):
            place = _put(at, len(at) - 2, Index((), row))
            total: Expr | None = None
            for k in range(inner):
                factor = self.reader.read(tensor.left, [*place[:-1], Index((), k)])
                if not isinstance(factor, Literal):
                    return False
                if factor.value:
                    step = [*place[:-2], Index((), k), place[-1]]
                    total = _added(total, factor, self.reader.read(tensor.right, step))
            stores.append(Store(target.at(place), total or Literal(0, tensor.dtype)))
        self._add(loops, *stores)
        return True

    def _term(
        self, tensor: Product, target: _Target, at: Indices, along: Index
    ) -> tuple[Load, Expr]:
        *batch, row, column = at
        factors = (
            self.reader.read(tensor.left, [*batch, row, along]),
            self.reader.read(tensor.right, [*batch, along, column]),
        )
        return target.at(at), applied("mul", factors, tensor.dtype)

    def _trees(self, tensor: Ensemble, target: _Target) -> None:
        name = f"trees{len(self.ensembles)}"
        self.ensembles[name] = tensor.table
        loops, at = _loops(tensor.shape, self._front.get(tensor))
        memory = self.reader.linear(tensor.source)
        features = Load(memory, flat_index([*at, Index()], tensor.source.shape))
        self._add(loops, Store(target.at(at), Trees(name, features, tensor.dtype)))


def _added(total: "Expr | None", factor: Literal, value: Expr) -> Expr:
    """Add a multiple of a value to a sum."""
    if total is not None and factor.value == -1:
        return Apply("sub", (total, value), value.dtype)
    term = applied("mul", (value, factor), value.dtype)
    return term if total is None else Apply("add", (total, term), value.dtype)


def _paired(terms: Sequence[Expr]) -> Expr:
    """Add numbers up pair by pair."""
    if len(terms) == 1:
        return terms[0]
    half = (len(terms) + 1) // 2
    return Apply("add", (_paired(terms[:half]), _paired(terms[half:])), terms[0].dtype)


def _loops(
    shape: Sequence[int], front: int | None = None, depth: int = 0
) -> tuple[tuple[Var, ...], list[Index]]:
    """Return loops over the axes longer than 1, one in front, and the index along each axis."""
    loops: list[Var] = []
    at = [Index()] * len(shape)
    for axis in in_front(shape, front):
        if shape[axis] > 1:
            loops.append(Var(_NAMES[depth + len(loops)], shape[axis]))
            at[axis] = Index.of(loops[-1])
    return tuple(loops), at


def _woven(at: Indices, along: Indices, axes: Sequence[int]) -> list[Index]:
    """Put indices along some axes among those along the others."""
    left = list(at)
    for axis, index in sorted(zip(axes, along, strict=True), key=lambda pair: pair[0]):
        left.insert(axis, index)
    return left


def _put(at: Indices, axis: int, index: Index) -> list[Index]:
    return [index if k == axis else one for k, one in enumerate(at)]


def _split(target: _Target, shape: Shape, axes: Sequence[Sequence[tuple[int, int]]]) -> _Target:
    """Describe the same place for a tensor of another shape, axes of which each axis holds."""
    strides = [0] * len(shape)
    for stride, parts in zip(target.strides, axes, strict=True):
        for axis, factor in parts:
            strides[axis] = stride * factor
    return _Target(target.memory, tuple(strides), target.offset)
