"""Figures that were to be reached, beside those that were."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.edge.result import Result, retained_median
from benchmarks.edge.speed import LIGHTGBM, SHIPPED, C, Row
from frugal_ai.leaderboard.figures import figure, percent

COLUMNS = ("what", "target", "measured", "reached")

Value = Callable[[Result], float | None]


@dataclass(frozen=True)
class Target:
    """A bound on one figure of each task.

    Attributes
    ----------
    what, bound
        As the page says them.
    value
        Of a task; None where it was not measured.
    most, least
        The bound.
    shown
        How a value is written.
    load
        Which tasks: those of load, those of production, or all where None.
    """

    what: str
    bound: str
    value: Value
    most: float = float("inf")
    least: float = float("-inf")
    shown: Callable[[float], str] = figure
    load: bool | None = None

    def row(self, results: Sequence[Result]) -> tuple[str, ...]:
        """Write the figure of every task it is about, and which of them reach it."""
        seen = [(one.name, self.value(one)) for one in results if self.load in (None, one.load)]
        told = ", ".join(f"{name} {'-' if v is None else self.shown(v)}" for name, v in seen)
        missed = [n for n, v in seen if v is None or not self.least <= v <= self.most]
        return self.what, self.bound, told, _reached(missed, len(seen))


def _reached(missed: Sequence[str], count: int) -> str:
    if not count:
        return "-"
    if not missed:
        return "yes"
    return "no" if len(missed) == count else f"not by {', '.join(missed)}"


def rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Write all targets."""
    found = [target.row(results) for target in _TARGETS]
    production = [one for one in results if not one.load]
    if production:
        middle = retained_median(production)
        row = ("production: skill kept, median of the tasks", "≥ 99 %", f"{percent(middle)} %")
        found.insert(2, (*row, "yes" if middle >= 0.99 else "no"))
    return found


def _warm(key: str) -> Value:
    def wall_us(one: Result) -> float | None:
        row = _row(one, key)
        return row.warm.wall_us if row and row.warm else None

    return wall_us


def _row(one: Result, key: str) -> Row | None:
    return next((row for row in one.speed.rows if row.key == key), None)


def _faster(one: Result) -> float | None:
    row = _row(one, LIGHTGBM)
    return row.warm.ratio if row and row.warm else None


def _cold_ms(one: Result) -> float | None:
    row = _row(one, SHIPPED)
    return row.cold.wall_ms if row and row.cold else None


def _rss_mb(one: Result) -> float | None:
    row = _row(one, SHIPPED)
    return row.cold.rss_mb if row and row.cold else None


def _heap(one: Result) -> float | None:
    row = _row(one, C)
    return len(one.speed.heap) if row and row.warm else None


def _per_node(one: Result) -> float | None:
    return one.nodes.per_node if one.nodes else None


def _times(value: float) -> str:
    return f"{figure(value)}x"


def _kilobytes(value: float) -> str:
    return figure(value / 1000)


_TARGETS = (
    Target(
        "load: skill kept, median of a task's series, %", "≥ 99 %",
        lambda one: one.shipped.retained, least=0.99, shown=percent, load=True,
    ),
    Target(
        "load: skill kept by the series that keeps least, %", "≥ 97 %",
        lambda one: one.shipped.retained_least, least=0.97, shown=percent, load=True,
    ),
    Target(
        "production: skill kept by the series that keeps least, %", "≥ 97 %",
        lambda one: one.shipped.retained_least, least=0.97, shown=percent, load=False,
    ),
    Target(
        "load: bytes, teacher over shipped", "≥ 25x",
        lambda one: one.bytes_ratio, least=25, shown=_times, load=True,
    ),
    Target(
        "production: bytes, teacher over shipped", "≥ 8x",
        lambda one: one.bytes_ratio, least=8, shown=_times, load=False,
    ),
    Target(
        "load: warm latency, LightGBM with Python features over shipped", "≥ 40x",
        _faster, least=40, shown=_times, load=True,
    ),
    Target(
        "production: warm latency, LightGBM with Python features over shipped", "≥ 15x",
        _faster, least=15, shown=_times, load=False,
    ),
    Target(
        "load: `model.onnx`, features and quantiles included, kB", "≤ 32 (stretch 16)",
        lambda one: one.shipped.bytes, most=32_000, shown=_kilobytes, load=True,
    ),
    Target(
        "load: a forecast of 48 steps, warm, µs", "≤ 50 (stretch 30)",
        _warm(SHIPPED), most=50, load=True,
    ),
    Target("cold start to first forecast, ms", "≤ 150", _cold_ms, most=150),
    Target("peak RSS, MB", "≤ 64", _rss_mb, most=64),
    Target(
        "bytes of a tree's node (split or leaf) in the teacher's graph", "≤ 12",
        _per_node, most=12,
    ),
    Target("load: C, 48 steps, µs", "≤ 10", _warm(C), most=10, load=True),
    Target(
        "load: C, functions of the heap that are called", "none",
        _heap, most=0, shown=lambda value: f"{value:.0f}", load=True,
    ),
    Target(
        "compressing has paid for itself, forecasts", "on the card",
        lambda one: one.compression.pays_after, shown=lambda value: f"{value:,.0f}",
    ),
)  # fmt: skip
