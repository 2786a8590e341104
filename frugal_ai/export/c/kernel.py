"""Statements of the program, and the loop nests that they stand in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from frugal_ai.export.c.expression import Expr, Index, Load, Var, loads


@dataclass(frozen=True)
class Store:
    """An element of memory gets a value."""

    target: Load
    value: Expr


@dataclass(frozen=True)
class For:
    """Statements that are repeated for each value of a variable."""

    var: Var
    body: tuple["Statement", ...]


@dataclass(frozen=True)
class Accumulate:
    """Values added up, or the least or largest of them, over some loops, side by side.

    Attributes
    ----------
    function
        ``add``, ``max`` or ``min``.
    """

    function: str
    loops: tuple[Var, ...]
    terms: tuple[tuple[Load, Expr], ...]  # where the result goes, and what is added


@dataclass(frozen=True)
class Scan:
    """Running sums: a zero, and then the sum after each value."""

    start: Load
    var: Var
    target: Load
    value: Expr


@dataclass(frozen=True)
class Sort:
    """Elements of memory that stand one after the other are put in order."""

    first: Load
    count: int
    descending: bool


Statement: TypeAlias = "Store | For | Accumulate | Scan | Sort"


@dataclass(frozen=True)
class Nest:
    """Statements under an outer loop, or under none."""

    var: Var | None
    body: tuple[Statement, ...]

    @property
    def count(self) -> int:
        """How often the body is run."""
        return 1 if self.var is None else self.var.size


def nest(loops: tuple[Var, ...], *inner: Statement) -> Nest:
    """Put statements under loops, the outermost first."""
    body = inner
    for var in reversed(loops[1:]):
        body = (For(var, body),)
    return Nest(loops[0] if loops else None, body)


def written(statement: Statement) -> Iterator[Load]:
    """Walk the elements that a statement writes."""
    if isinstance(statement, Store):
        yield statement.target
    elif isinstance(statement, For):
        for inner in statement.body:
            yield from written(inner)
    elif isinstance(statement, Accumulate):
        for target, _ in statement.terms:
            yield target
    elif isinstance(statement, Scan):
        yield statement.start
        yield statement.target
    else:
        yield _whole(statement)


def read(statement: Statement) -> Iterator[Load]:
    """Walk the elements that a statement reads."""
    if isinstance(statement, Store):
        yield from loads(statement.value)
    elif isinstance(statement, For):
        for inner in statement.body:
            yield from read(inner)
    elif isinstance(statement, Accumulate):
        for _, value in statement.terms:
            yield from loads(value)
    elif isinstance(statement, Scan):
        yield from loads(statement.value)
    else:
        yield _whole(statement)


def _whole(sort: Sort) -> Load:
    """Stand for all elements that a sort touches."""
    along = Index.of(Var("all", sort.count))
    return Load(sort.first.memory, sort.first.index + along)
