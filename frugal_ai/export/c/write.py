"""Loop nests as the text of C."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from frugal_ai.export.c.expression import (
    Count,
    Expr,
    Index,
    Literal,
    Load,
    Memory,
    Trees,
    Var,
    replaced,
)
from frugal_ai.export.c.functions import ATOM, PRODUCT, SUM, UNARY, Helpers, Text, write
from frugal_ai.export.c.fuse import Fused, Group
from frugal_ai.export.c.kernel import Accumulate, For, Scan, Sort, Statement, Store
from frugal_ai.export.c.memory import Layout, Stand
from frugal_ai.export.c.scalar import FLOAT, DType, c_type, literal

_INDENT = "    "
_LANES = 8  # sums of one value that are kept side by side; an addition waits for the one before
_SUMS = 32  # of all values together
_AT_ONCE = 4  # running sums in single precision; where trees read them they are of doubles
_WORTH_LANES = 16  # steps of a loop


class Writer:
    """Writes statements, with every buffer at its place.

    Parameters
    ----------
    stands
        Places of buffers, arguments and results.
    """

    def __init__(self, stands: Mapping[Memory, Stand]) -> None:
        self._stands = stands
        self.helpers = Helpers()

    def groups(self, fused: Fused, layout: Layout) -> list[str]:
        """Write all groups, one after the other."""
        lines: list[str] = []
        for number, group in enumerate(fused.groups):
            lines += self._group(group, layout.rows.get(number, ()))
        return lines

    def _group(self, group: Group, rows: Sequence[str]) -> Iterator[str]:
        body = [f"{row};" for row in rows]
        for nest in group.nests:
            for statement in nest.body:
                body += self._statement(statement)
        yield from _block("" if group.var is None else _for(group.var), body)

    def _statement(self, statement: Statement) -> Iterator[str]:
        if isinstance(statement, Store):
            value = self.expr(statement.value).code
            yield f"{self.place(statement.target)} = {value};"
        elif isinstance(statement, For):
            inner = [line for one in statement.body for line in self._statement(one)]
            yield from _block(_for(statement.var), inner)
        elif isinstance(statement, Accumulate):
            yield from _block("", self._accumulate(statement))
        elif isinstance(statement, Scan):
            yield from _block("", self._scan(statement))
        else:
            yield from self._sort(statement)

    def _accumulate(self, statement: Accumulate) -> Iterator[str]:
        dtype = statement.terms[0][1].dtype
        *outer, last = statement.loops
        lanes = _lanes(statement, last)
        names = [f"s{k}" for k in range(lanes * len(statement.terms))]
        start = _start(statement.function, dtype)
        yield f"{c_type(dtype)} " + ", ".join(f"{name} = {start}" for name in names) + ";"
        values = [value for _, value in statement.terms]
        body = [
            self._add(statement.function, names[lane * len(values) + k], value, dtype)
            for lane in range(lanes)
            for k, value in enumerate(_shifted(values, last, lane))
        ]
        whole = last.size - last.size % lanes
        loops = list(_block(_for(last, end=whole, step=lanes), body))
        if whole < last.size:
            rest = [
                self._add(statement.function, name, value, dtype)
                for name, value in zip(names, values, strict=False)
            ]
            loops += _block(_for(last, begin=whole), rest)
        for var in reversed(outer):
            loops = list(_block(_for(var), loops))
        yield from loops
        for k, (target, _) in enumerate(statement.terms):
            total = _paired(names[k :: len(values)])
            yield f"{self.place(target)} = {total};"

    def _add(self, function: str, name: str, value: Expr, dtype: DType) -> str:
        text = self.expr(value)
        if function == "add":
            return f"{name} += {text.code};"
        helper = self.helpers.name(function, dtype)
        return f"{name} = {helper}({name}, {text.code});"

    def _scan(self, statement: Scan) -> Iterator[str]:
        var, dtype = statement.var, statement.value.dtype
        yield f"{c_type(dtype)} s = {literal(0, dtype)};"
        yield f"{self.place(statement.start)} = s;"
        whole = 0
        if dtype == FLOAT and var.size >= _WORTH_LANES:
            whole = var.size - var.size % _AT_ONCE
            yield from _block(_for(var, end=whole, step=_AT_ONCE), self._scan_at_once(statement))
        body = [f"s += {self.expr(statement.value).code};", f"{self.place(statement.target)} = s;"]
        if whole < var.size:
            yield from _block(_for(var, begin=whole), body)

    def _scan_at_once(self, statement: Scan) -> Iterator[str]:
        """Add a few values up among themselves, so that one addition waits for those before."""
        values = _steps(statement.value, statement.var)
        targets = _steps(statement.target, statement.var)
        names = [f"p{k}" for k in range(_AT_ONCE)]
        for k, (name, value) in enumerate(zip(names, values, strict=True)):
            before = f"{names[k - 1]} + " if k else ""
            text = self.expr(value).within(PRODUCT)
            yield f"float {name} = {before}{text};"
        for name, target in zip(names, targets, strict=True):
            yield f"{self.expr(target).code} = s + {name};"
        yield f"s += {names[-1]};"

    def _sort(self, statement: Sort) -> Iterator[str]:
        if statement.count > 1:
            way = "descending" if statement.descending else "ascending"
            name = self.helpers.name(way, statement.first.dtype)
            yield f"{name}({self.pointer(statement.first)}, {statement.count});"

    def expr(self, expr: Expr) -> Text:
        """Write an expression."""
        if isinstance(expr, Literal):
            return _literal(expr)
        if isinstance(expr, Load):
            return Text(self.place(expr), ATOM)
        if isinstance(expr, Count):
            return Text(f"({c_type(expr.dtype)}){self.index(expr.index).within(UNARY)}", UNARY)
        if isinstance(expr, Trees):
            return Text(f"{expr.name}({self.pointer(expr.features)})", ATOM)
        args = [self.expr(argument) for argument in expr.args]
        taken = tuple(argument.dtype for argument in expr.args)
        return write(expr.function, args, taken, expr.dtype, self.helpers)

    def place(self, load: Load) -> str:
        """Write an element of memory."""
        stand = self._stands.get(load.memory, Stand(load.memory.name))
        return stand.name if stand.scalar else f"{stand.name}[{self._within(stand, load).code}]"

    def pointer(self, load: Load) -> str:
        """Write the address of an element of memory."""
        stand = self._stands.get(load.memory, Stand(load.memory.name))
        if stand.scalar:
            return f"&{stand.name}"
        place = self._within(stand, load).code
        return stand.name if place == "0" else f"{stand.name} + {place}"

    def _within(self, stand: Stand, load: Load) -> Text:
        index = load.index if stand.without is None else load.index.without(stand.without)
        return self.index(index + stand.offset)

    def index(self, index: Index) -> Text:
        """Write an index."""
        parts = []
        for atom, factor in index.terms:
            name = Text(atom.name, ATOM) if isinstance(atom, Var) else self.expr(atom)
            times = abs(factor)
            text = name if times == 1 else Text(f"{times} * {name.within(UNARY)}", PRODUCT)
            parts.append((factor < 0, text.within(PRODUCT)))
        if index.offset or not parts:
            parts.append((index.offset < 0, str(abs(index.offset))))
        parts.sort(key=lambda part: part[0])  # what is subtracted comes last
        first, *rest = parts
        code = ("-" if first[0] else "") + first[1]
        code += "".join(f" {'-' if minus else '+'} {text}" for minus, text in rest)
        binds = SUM if rest else UNARY if first[0] else ATOM if code.isalnum() else PRODUCT
        return Text(code, binds)


def _literal(expr: Literal) -> Text:
    code = literal(expr.value, expr.dtype)
    return Text(code, UNARY if code.startswith("-") else ATOM)


def _for(var: Var, begin: int = 0, end: int | None = None, step: int = 1) -> str:
    """Write the head of a loop."""
    end = var.size if end is None else end
    forward = f"{var.name}++" if step == 1 else f"{var.name} += {step}"
    return f"for (int {var.name} = {begin}; {var.name} < {end}; {forward})"


def _block(head: str, body: Iterable[str]) -> Iterator[str]:
    lines = list(body)
    plain = len(lines) == 1 and lines[0].endswith(";")
    if plain and head:
        yield f"{head} {lines[0]}"
        return
    yield f"{head} {{" if head else "{"
    yield from (_INDENT + line for line in lines)
    yield "}"


def _lanes(statement: Accumulate, last: Var) -> int:
    if statement.function != "add" or last.size < _WORTH_LANES:
        return 1
    return max(1, min(_LANES, _SUMS // len(statement.terms)))


def _start(function: str, dtype: DType) -> str:
    if function == "add":
        return literal(0, dtype)
    return literal(float("-inf") if function == "max" else float("inf"), dtype)


def _steps(value: Expr, var: Var) -> list[Expr]:
    """Return a value at some steps one after the other."""
    return [_shifted([value], var, by)[0] for by in range(_AT_ONCE)]


def _shifted(values: Sequence[Expr], var: Var, by: int) -> list[Expr]:
    if not by:
        return list(values)
    return [replaced(value, {var: Index(((var, 1),), by)}) for value in values]


def _paired(names: Sequence[str]) -> str:
    """Add numbers up pair by pair."""
    if len(names) == 1:
        return names[0]
    half = (len(names) + 1) // 2
    left, right = _paired(names[:half]), _paired(names[half:])
    return " + ".join(f"({one})" if " " in one else one for one in (left, right))
