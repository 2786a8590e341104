"""The table of a board as text: two lines a cell, at least three significant digits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from frugal_ai.board.filters import Filters
from frugal_ai.board.leads import metric_text
from frugal_ai.board.links import Links
from frugal_ai.board.ranking import Board, Ranked
from frugal_ai.board.words import Words
from frugal_ai.leaderboard.figures import is_measured
from frugal_ai.wording import scale

SHORT = 7
"""Letters of a digest that are shown."""


@dataclass(frozen=True)
class Head:
    """A column: its title, the address that sorts by it, and how it is sorted now."""

    name: str
    title: str
    sort: str
    sorted: str  # ascending, descending or none


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and the number that it is sorted by where there is no server."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Line:
    """A row."""

    id: str
    rank: str
    name: str
    model: str
    about: str
    chosen: bool
    failed: bool
    cells: tuple[Cell, ...]
    report: str
    ended: str
    bundle: str
    digests: str
    flags: str


@dataclass(frozen=True)
class Unit:
    """A unit of emissions that suits a column."""

    size: float
    name: str

    def text(self, grams: float | None, words: Words) -> str:
        """Write emissions in it."""
        return words.figure(None if grams is None else grams / self.size)


def unit_of(values: Sequence[float | None]) -> Unit:
    """Return the unit that suits the median."""
    known = [one for one in values if one]
    return Unit(*scale(median(known))) if known else Unit(1.0, "g")


def anchor(one: Ranked) -> str:
    """Return the name of a row on its page."""
    return f"m-{one.entry.id[:10]}"


class Table:
    """Makes heads and lines of a board."""

    def __init__(self, board: Board, asked: Filters, words: Words, links: Links) -> None:
        self._board, self._asked, self._words, self._links = board, asked, words, links
        self._training = unit_of([one.training_g for one in board.rows])
        self._use = unit_of([one.use_g for one in board.rows])
        self._year = unit_of([one.entry.g_per_year for one in board.rows])
        self._more = unit_of([one.grams for one in board.rows if one.on_front])
        self.fleet = any(one.entry.g_per_year is not None for one in board.rows)

    def heads(self) -> list[Head]:
        """Return the columns after the first, which is that of the models."""
        words, key = self._words, self._board.group.key
        relative = self._asked.metric in {"nmae", "mase"}
        unit = "1" if relative else key.unit
        error = words("col_error", metric=metric_text(self._asked, words), unit=unit)
        titles = {
            "error": error,
            "skill": words("col_skill"),
            "pinball": words("col_pinball"),
            "training": f"{words('col_training')}\n{self._training.name}CO2e",
            "use": f"{words('col_use')}\n{self._use.name}CO2e",
            "year": f"{words('col_year')}\n{self._year.name}CO2e",
            "gain": words("col_gain"),
            "bytes": words("col_bytes"),
            "ended": words("col_ended"),
        }
        return [
            self._head(name, text) for name, text in titles.items() if name != "year" or self.fleet
        ]

    def first(self) -> Head:
        """Return the column of the models, sorted by rank."""
        return self._head("energy", self._words("col_rung"))

    def _head(self, name: str, title: str) -> Head:
        own = self._asked.sort == name
        down = own and not self._asked.descending
        state = ("descending" if self._asked.descending else "ascending") if own else "none"
        return Head(name, title, self._links.board(self._asked, sort=name, descending=down), state)

    def line(self, one: Ranked) -> Line:
        """Return a row."""
        row, run, words = one.entry.row, one.entry.run, self._words
        chosen = one is self._board.recommended
        family = words.of("family", row.family)
        commit = f"{(row.git_revision or '')[:SHORT]} · " if row.git_revision else ""
        return Line(
            id=anchor(one),
            rank=_rank(one),
            name=row.rung,
            model=self._links.model(one.entry),
            about=f"{family} · {words('recommended')}" if chosen else family,
            chosen=chosen,
            failed=row.chosen and bool(run.failed_gates),
            cells=tuple(self._cells(one)),
            report=self._links.file(one.entry, "run.json"),
            ended=f"{row.ended:%Y-%m-%d}",
            bundle=self._links.file(one.entry, "bundle/manifest.json") if row.chosen else "",
            digests=f"{commit}{row.data_digest[:SHORT]}",
            flags=self._flags(one),
        )

    def _cells(self, one: Ranked) -> list[Cell]:
        row, words = one.entry.row, self._words
        covered = ""
        if row.coverage is not None and row.coverage_nominal is not None:
            nominal = words.local(f"{100 * row.coverage_nominal:g}")
            covered = words("covers", coverage=words.percent(row.coverage), nominal=nominal)
        cells = [
            Cell(_two(words.figure(one.error, 4), words.interval(one.error_ci, 4)), one.error),
            Cell(words.percent(row.skill, row.skill_ci).replace(" ", "\n", 1), row.skill),
            Cell(_two(words.figure(row.pinball, 4), covered), row.pinball),
            Cell(self._training.text(one.training_g, words), one.training_g),
            Cell(self._use.text(one.use_g, words), one.use_g),
        ]
        if self.fleet:
            cells.append(Cell(self._year.text(one.entry.g_per_year, words), one.entry.g_per_year))
        latency = f"{words.figure(row.latency_us)} µs" if row.latency_us is not None else ""
        size = words.local(f"{row.bytes:,}") if row.bytes is not None else words.figure(None)
        return [
            *cells,
            Cell(self._gain(one), one.gain_per_g),
            Cell(_two(size, latency), row.bytes),
        ]

    def _gain(self, one: Ranked) -> str:
        row, words = one.entry.row, self._words
        verdict = words.of("verdict", row.verdict or "") or words.figure(None)
        if row.gain is None or row.over is None:
            return verdict
        said = words("gain_line", gain=words.percent(row.gain, row.gain_ci), over=row.over)
        rate = ""
        if one.gain_per_g is not None and one.on_front and self._asked.metric == "mae":
            per = words.figure(100 * one.gain_per_g * self._more.size)
            rate = f" · {words('per', gain=per, unit=self._more.name)}"
        return f"{said}\n{verdict}{rate}"

    def _flags(self, one: Ranked) -> str:
        row, words = one.entry.row, self._words
        known = "measured" if is_measured(row.energy_method) else "estimated"
        cut = f", {words('flag_interrupted')}" if one.entry.run.interrupted else ""
        return f"{words(f'method_{known}')}{cut}"


def _rank(one: Ranked) -> str:
    if one.energy_rank is None:
        return ""
    return f"{one.energy_rank}{'=' if one.energy_tied else ''}"


def _two(first: str, second: str) -> str:
    return f"{first}\n{second}" if second else first


Maker = Callable[[Ranked], Line]
