"""Scalar expressions of a C program, and the places in memory that they read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from frugal_ai.export.c.scalar import INT64, Array, DType


@dataclass(frozen=True)
class Var:
    """A loop variable that runs from 0 to ``size - 1``."""

    name: str
    size: int


Atom: TypeAlias = "Var | Expr"


@dataclass(frozen=True)
class Index:
    """A place in memory: whole multiples of loop variables, or of computed numbers, and an offset.

    Attributes
    ----------
    terms
        Each with its factor, never 0; no variable twice.
    """

    terms: tuple[tuple[Atom, int], ...] = ()
    offset: int = 0

    @classmethod
    def of(cls, var: Var) -> "Index":
        """Return the value of a variable, 0 where it can be nothing else."""
        return cls(((var, 1),)) if var.size > 1 else cls()

    def __add__(self, other: "Index | int") -> "Index":
        if isinstance(other, int):
            return Index(self.terms, self.offset + other)
        factors: dict[Atom, int] = dict(self.terms)
        for atom, factor in other.terms:
            factors[atom] = factors.get(atom, 0) + factor
        kept = tuple((atom, factor) for atom, factor in factors.items() if factor)
        return Index(kept, self.offset + other.offset)

    def __mul__(self, factor: int) -> "Index":
        if not factor:
            return Index()
        return Index(tuple((a, f * factor) for a, f in self.terms), self.offset * factor)

    def factor(self, var: Var) -> int:
        """Return what a step of a variable adds."""
        return dict(self.terms).get(var, 0)

    def without(self, var: Var) -> "Index":
        """Return the place with a variable at 0."""
        return Index(tuple((a, f) for a, f in self.terms if a != var), self.offset)

    @property
    def span(self) -> tuple[int, int] | None:
        """Lowest and highest value; None where it is computed."""
        low = high = self.offset
        for atom, factor in self.terms:
            reach = _reach(atom)
            if reach is None:
                return None
            ends = [factor * end for end in reach]
            low, high = low + min(ends), high + max(ends)
        return low, high


@dataclass(frozen=True, eq=False)
class Memory:
    """An array of the program.

    Attributes
    ----------
    name
        In C; empty for a buffer, which is named when memory is planned.
    values
        Of a constant table; None for what is given or computed.
    given
        Whether it is an argument of the function.
    """

    name: str
    dtype: DType
    size: int
    values: Array | None = None
    given: bool = False

    @property
    def computed(self) -> bool:
        """Whether it is a buffer of the program."""
        return self.values is None and not self.given


@dataclass(frozen=True)
class Literal:
    """A constant."""

    value: float | int | bool
    dtype: DType


@dataclass(frozen=True)
class Load:
    """A number in memory."""

    memory: Memory
    index: Index

    @property
    def dtype(self) -> DType:
        """Type of the number."""
        return self.memory.dtype


@dataclass(frozen=True)
class Count:
    """An index as a number."""

    index: Index
    dtype: DType = field(default=INT64)


@dataclass(frozen=True)
class Apply:
    """A function of `functions.py` applied to scalars."""

    function: str
    args: tuple["Expr", ...]
    dtype: DType


@dataclass(frozen=True)
class Trees:
    """The sum of an ensemble of trees for the features that stand from a place on."""

    name: str
    features: Load
    dtype: DType


Expr: TypeAlias = "Literal | Load | Count | Apply | Trees"


def _reach(atom: Atom) -> tuple[int, int] | None:
    """Return the lowest and highest value of a variable or a constant table."""
    if isinstance(atom, Var):
        return 0, atom.size - 1
    if isinstance(atom, Load) and atom.memory.values is not None:
        return int(atom.memory.values.min()), int(atom.memory.values.max())
    return None


def loads(expr: "Expr | Index") -> Iterator[Load]:
    """Walk everything that an expression reads, indices that are computed included."""
    if isinstance(expr, Index):
        for atom, _ in expr.terms:
            if not isinstance(atom, Var):
                yield from loads(atom)
    elif isinstance(expr, Load):
        yield expr
        yield from loads(expr.index)
    elif isinstance(expr, Count):
        yield from loads(expr.index)
    elif isinstance(expr, Apply):
        for argument in expr.args:
            yield from loads(argument)
    elif isinstance(expr, Trees):
        yield from loads(expr.features)


def replaced(expr: Expr, by: Mapping[Var, Index]) -> Expr:
    """Return an expression with variables replaced by other indices."""
    if isinstance(expr, Load):
        return Load(expr.memory, replaced_index(expr.index, by))
    if isinstance(expr, Count):
        return Count(replaced_index(expr.index, by), expr.dtype)
    if isinstance(expr, Apply):
        args = tuple(replaced(argument, by) for argument in expr.args)
        return Apply(expr.function, args, expr.dtype)
    if isinstance(expr, Trees):
        place = replaced_index(expr.features.index, by)
        return Trees(expr.name, Load(expr.features.memory, place), expr.dtype)
    return expr


def replaced_index(index: Index, by: Mapping[Var, Index]) -> Index:
    """Return an index with variables replaced by other indices."""
    result = Index((), index.offset)
    for atom, factor in index.terms:
        if isinstance(atom, Var):
            part = by.get(atom, Index(((atom, 1),)))
        else:
            part = Index(((replaced(atom, by), 1),))
        result = result + part * factor
    return result
