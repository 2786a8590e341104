"""Plain tables of text whose figures are never cut, however narrow the terminal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Generic, Protocol, TypeVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text


class Row(Protocol):
    """What a table has a line for."""

    @property
    def chosen(self) -> bool:
        """Whether it stands out."""
        ...


R = TypeVar("R", bound=Row)
_GAP, _NARROW = "  ", " "


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column.

    Attributes
    ----------
    title
        One or more lines.
    cell
        What it says of a row.
    cost
        Whether it goes with the costs where a table must be split, not with the accuracy.
    left
        Whether it is set to the left.
    """

    title: str
    cell: Callable[[R], str]
    cost: bool = False
    left: bool = False


@dataclass(frozen=True)
class Sheet(Generic[R]):
    """Rows under columns, with notes below, for `rich.console.Console.print`.

    The chosen row is bold. What does not fit beside each other comes below each other: accuracy,
    then cost, each with the first column; `more` columns always stand below.
    """

    columns: Sequence[Column[R]]
    rows: Sequence[R]
    title: str = ""
    notes: Sequence[str] = ()
    more: Sequence[Column[R]] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        for text in self._texts(options.max_width):
            yield Text(text.plain.replace("µ", "u"), text.style) if options.ascii_only else text

    def _texts(self, width: int) -> Iterator[Text]:
        if self.title:
            yield Text(self.title, "bold")
        tables = pack(self.columns, self.rows, width)
        gap = _GAP if len(tables) == 1 else _NARROW
        if self.more:
            tables += pack((self.columns[0], *self.more), self.rows, width)
        for index, columns in enumerate(tables):
            if index:
                yield Text()
            lines = layout(columns, self.rows, gap)
            header = len(lines) - len(self.rows)
            for line in lines[:header]:
                yield Text(line, "dim", overflow="fold")
            for line, row in zip(lines[header:], self.rows, strict=True):
                yield Text(line, "bold" if row.chosen else "", overflow="fold")
        for note in self.notes:
            yield Text(note, "dim")


def pack(columns: Sequence[Column[R]], rows: Sequence[R], width: int) -> list[Sequence[Column[R]]]:
    """Split columns into as few tables as fit a width, accuracy before cost."""
    if _width(columns, rows, _GAP) <= width:
        return [columns]
    first, *others = columns
    tables: list[list[Column[R]]] = []
    for cost in (False, True):
        tables.append([first])
        for column in (one for one in others if one.cost is cost):
            if len(tables[-1]) > 1 and _width([*tables[-1], column], rows, _NARROW) > width:
                tables.append([first])
            tables[-1].append(column)
    return [table for table in tables if len(table) > 1]


def layout(columns: Sequence[Column[R]], rows: Sequence[R], gap: str = _GAP) -> list[str]:
    """Set a table: the titles, a rule, and a line for each row."""
    titles = list(zip_longest(*(reversed(one.title.split("\n")) for one in columns), fillvalue=""))
    text = [*reversed(titles), *([column.cell(row) for column in columns] for row in rows)]
    widths = [max(cell_len(line[index]) for line in text) for index in range(len(columns))]
    lines = [gap.join(_padded(line, widths, columns)).rstrip() for line in text]
    rule = gap.join("-" * width for width in widths)
    return [*lines[: len(titles)], rule, *lines[len(titles) :]]


def _width(columns: Sequence[Column[R]], rows: Sequence[R], gap: str) -> int:
    return max(map(cell_len, layout(columns, rows, gap)))


def _padded(
    cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column[R]]
) -> Iterator[str]:
    for cell, width, column in zip(cells, widths, columns, strict=True):
        space = " " * (width - cell_len(cell))
        yield cell + space if column.left else space + cell
