"""A column of the feature matrix as an expression, and how many of them become few graph nodes.

Columns are computed as rows, [B, n, H]: all of one kind at once, and what lies side by side in
memory are the steps of one column. A graph of a hundred columns so has some dozen nodes less than
its blocks have columns, and each of them is as long as the horizon.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.frame import Frame, const

if TYPE_CHECKING:
    from frugal_ai.features.grid import Grid


@dataclass(frozen=True)
class Reach:
    """What is read: how far before the origin [steps], and which covariates."""

    history: int = 0
    lookback: int = 0
    known: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    static: frozenset[str] = frozenset()

    def __or__(self, other: "Reach") -> "Reach":
        return Reach(
            max(self.history, other.history),
            max(self.lookback, other.lookback),
            self.known | other.known,
            self.past | other.past,
            self.static | other.static,
        )


class Column(ABC):
    """One column; equal ones, also those of different blocks, are computed once."""

    rank: ClassVar[int] = 0
    """Columns of a lower rank are computed first."""

    @classmethod
    def kind(cls) -> "type[Column]":
        """Return the class whose `rows` computes these columns together with others of its."""
        return cls

    @property
    def made_of(self) -> tuple["Column", ...]:
        """Other columns that this one is computed from."""
        return ()

    def reach(self, grid: "Grid") -> Reach:  # noqa: ARG002 - what reads the clock reads no values
        """Say what the column reads."""
        return Reach()

    @classmethod
    @abstractmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: "Picker") -> "list[Part]":
        """Compute all columns of this kind, float32 [B, n, H], in as many parts as suits.

        Parameters
        ----------
        columns
            All different.
        pick
            Returns some of the columns that were computed before, [B, n, H].
        """


Picker = Callable[[Sequence[Column]], Var]
Part = tuple[Sequence[Column], Var]


def reach_of(columns: Iterable[Column], grid: "Grid") -> Reach:
    """Return what any of some columns reads, also through those that it is made of."""
    found = Reach()
    for column in columns:
        found = found | column.reach(grid) | reach_of(column.made_of, grid)
    return found


def assemble(columns: Sequence[Column], frame: Frame) -> Var:
    """Compute columns, float32 [B, H, F]."""
    levels = _levels(columns)
    stack = _Stack()
    for level in sorted(set(levels.values())):
        kinds: dict[type[Column], list[Column]] = {}
        for column, its in levels.items():
            if its == level:
                kinds.setdefault(column.kind(), []).append(column)
        for kind, some in kinds.items():
            stack.add(kind.rows(some, frame, stack))
    return op.transpose(stack(columns), perm=[0, 2, 1])


def _levels(columns: Sequence[Column]) -> dict[Column, int]:
    """Say in which round each column is computed, and each that it is made of."""
    levels: dict[Column, int] = {}

    def visit(column: Column) -> int:
        if column not in levels:
            below = [visit(part) for part in column.made_of]
            levels[column] = max([column.rank, *(level + 1 for level in below)])
        return levels[column]

    for column in columns:
        visit(column)
    return levels


class _Stack:
    """The columns that are computed, in parts [B, n, H], and where each of them stands."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._part_of: dict[Column, int] = {}
        self._joined: dict[tuple[int, ...], Part] = {}

    def add(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._part_of.update(dict.fromkeys(part[0], len(self._parts)))
            self._parts.append(part)

    def __call__(self, columns: Sequence[Column]) -> Var:
        there, rows = self._join(tuple(sorted({self._part_of[column] for column in columns})))
        place = {column: index for index, column in enumerate(there)}
        places = [place[column] for column in columns]
        if places == list(range(len(there))):
            return rows
        return op.gather(rows, const(places, np.int32), axis=1)

    def _join(self, which: tuple[int, ...]) -> Part:
        """Put some parts after one another."""
        if len(which) == 1:
            return self._parts[which[0]]
        if which not in self._joined:
            some = [self._parts[index] for index in which]
            columns = [column for part, _ in some for column in part]
            self._joined[which] = columns, op.concat([rows for _, rows in some], axis=1)
        return self._joined[which]
