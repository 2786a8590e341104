"""Loops of the same length run as one, so that what one gives to the next needs one row."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from frugal_ai.export.c.expression import Index, Load, Memory, Var
from frugal_ai.export.c.kernel import Nest, read, written


@dataclass(frozen=True)
class Group:
    """Nests that share an outer loop, in the order in which they are run in it."""

    var: Var | None
    nests: tuple[Nest, ...]


@dataclass(frozen=True)
class Row:
    """Memory of which only the part of the current step of an outer loop is needed."""

    var: Var
    size: int


@dataclass(frozen=True)
class Fused:
    """The groups, and what is local to one of them.

    Attributes
    ----------
    rows
        Memory that shrinks to one row, by the group that it lives in.
    lives
        First and last group in which each other buffer is touched.
    """

    groups: tuple[Group, ...]
    rows: dict[Memory, tuple[int, Row]]
    lives: dict[Memory, tuple[int, int]]


def fuse(nests: Sequence[Nest]) -> Fused:
    """Group nests, each as late as those that read it allow."""
    touches = [_Touch.of(one) for one in nests]
    readers: dict[Memory, list[int]] = defaultdict(list)
    for number, touch in enumerate(touches):
        for memory in touch.reads:
            readers[memory].append(number)
    position: dict[int, int] = {}  # counted from the last group
    lengths: list[int] = []
    for number in reversed(range(len(nests))):
        here = touches[number]
        least = 0
        for memory in here.writes:
            for reader in readers[memory]:
                if reader > number:
                    together = _can_share(memory, here, touches[reader])
                    least = max(least, position[reader] + (not together))
        count = nests[number].count
        fitting = (k for k in range(least, len(lengths)) if lengths[k] == count)
        position[number] = next(fitting, len(lengths))
        if position[number] == len(lengths):
            lengths.append(count)
    return _collect(nests, touches, {n: len(lengths) - 1 - p for n, p in position.items()})


@dataclass(frozen=True)
class _Touch:
    """What a nest reads and writes of buffers."""

    var: Var | None
    reads: dict[Memory, list[Index]]
    writes: dict[Memory, list[Index]]

    @classmethod
    def of(cls, nest: Nest) -> "_Touch":
        reads = _by_memory(load for one in nest.body for load in read(one))
        writes = _by_memory(load for one in nest.body for load in written(one))
        return cls(nest.var, reads, writes)

    @property
    def count(self) -> int:
        return 1 if self.var is None else self.var.size


def _by_memory(found: Iterable[Load]) -> dict[Memory, list[Index]]:
    touched: dict[Memory, list[Index]] = defaultdict(list)
    for load in found:
        if load.memory.computed:
            touched[load.memory].append(load.index)
    return dict(touched)


def _can_share(memory: Memory, writer: _Touch, reader: _Touch) -> bool:
    """Say whether the reader, in the same loop, finds what it needs already written."""
    if writer.count != reader.count:
        return False
    return writer.var is None or _row(memory, (writer, reader)) is not None


def _row(memory: Memory, touches: Iterable[_Touch]) -> Row | None:
    """Return the row of a memory that every access stays within at each step, if there is one."""
    found: set[Row] = set()
    for touch in touches:
        for index in [*touch.writes.get(memory, []), *touch.reads.get(memory, [])]:
            if touch.var is None:
                return None
            size = index.factor(touch.var)
            span = index.without(touch.var).span
            if size <= 0 or span is None or span[0] < 0 or span[1] >= size:
                return None
            found.add(Row(touch.var, size))
    return found.pop() if len(found) == 1 else None


def _collect(nests: Sequence[Nest], touches: Sequence[_Touch], group_of: dict[int, int]) -> Fused:
    members: dict[int, list[int]] = defaultdict(list)
    for number in range(len(nests)):
        members[group_of[number]].append(number)
    groups = tuple(
        Group(nests[numbers[0]].var, tuple(nests[number] for number in numbers))
        for _, numbers in sorted(members.items())
    )
    touching: dict[Memory, list[int]] = defaultdict(list)
    for number, touch in enumerate(touches):
        for memory in touch.reads.keys() | touch.writes.keys():
            touching[memory].append(number)
    rows, lives = {}, {}
    for memory, numbers in touching.items():
        where = {group_of[number] for number in numbers}
        row = _row(memory, (touches[number] for number in numbers)) if len(where) == 1 else None
        if row is not None:
            rows[memory] = (where.pop(), row)
        else:
            lives[memory] = (min(where), max(where))
    return Fused(groups, rows, lives)
