"""What compression gave up for how many bytes: a table and a picture."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from frugal_ai.drawing import BLUE, GREY, VERMILLION, grid, new_figure, style, to_svg
from frugal_ai.leaderboard.columns import Column, Sheet
from frugal_ai.leaderboard.figures import figure, percent
from frugal_ai.leaderboard.labels import Box
from frugal_ai.leaderboard.names import Name, write_names
from frugal_ai.report.compression import CandidateReport, CompressionReport

_SIZE = (8.0, 4.2)  # [inches]
_COLOURS = {"shipped": VERMILLION, "passes": BLUE, "fails": GREY}
_MARKER, _RING = 5.0, 9.0  # how far they reach around a point [pixels]
_ROOM = 1.6  # beside the outer points, for their names

_COLUMNS: tuple[Column[CandidateReport], ...] = (
    Column("  model", lambda one: f"{'*' if one.chosen else ' '} {one.kind}", left=True),
    Column("para-\nmeters", lambda one: f"{one.parameters:,}" if one.parameters else "-"),
    Column("tree\nnodes", lambda one: f"{one.tree_nodes:,}" if one.tree_nodes else "-"),
    Column("bytes", lambda one: f"{one.bytes:,}"),
    Column("one fc.\nµs", lambda one: figure(one.latency_us), cost=True),
    Column("1,000 fc.\nmWh", lambda one: figure(one.energy_mwh_per_1000), cost=True),
    Column("memory\nMB", lambda one: figure(one.rss_mb), cost=True),
    Column("skill kept %\n[95 % CI]", lambda one: percent(one.retained, one.retained_ci)),
    Column("least\n%", lambda one: percent(one.retained_least)),
    Column("quantiles\n%", lambda one: percent(one.retained_quantiles)),
    Column("parity", lambda one: "-" if one.parity is None else f"{one.parity:.0e}"),
    Column("verdict", lambda one: one.verdict, left=True),
)


def compression_table(found: CompressionReport) -> Sheet[CandidateReport]:
    """Show every candidate, and by which gates it fails."""
    missed = [f"{one.kind}: {', '.join(one.misses)}" for one in found.candidates if one.misses]
    notes = [*missed, *(f"not made: {text}" for text in found.left_out)]
    return Sheet(_COLUMNS, found.candidates, f"compression of {found.original}", notes=notes)


def compression_sentence(found: CompressionReport) -> str:
    """Say what is shipped, why, and when it has paid for itself."""
    text = f"shipped: {found.shipped}, {found.reason}. Compressing took {found.cpu_s:.3g} CPU-s"
    if found.pays_after:
        text += f" and has paid for itself after {found.pays_after:,.0f} forecasts"
    return f"{text}."


def compression_svg(found: CompressionReport, title: str) -> str:
    """Draw the skill that each candidate keeps against its bytes, as SVG text."""
    said = "; ".join(
        f"{one.kind} {one.retained:.1%} in {one.bytes:,} bytes" for one in found.candidates
    )
    with style():
        return to_svg(_draw(found, title), title, f"Skill kept by model size: {said}.")


def _draw(found: CompressionReport, title: str) -> Figure:
    drawn = new_figure(*_SIZE)
    axes = drawn.add_subplot()
    axes.set_title(f"{title}\n{found.original}, compressed", loc="left", fontweight="bold")
    _scales(axes, found)
    for one in found.candidates:
        _point(axes, one)
    _legend(axes, found.candidates)
    drawn.draw_without_rendering()  # sizes of text and axes are known from here on
    drawn.set_layout_engine("none")
    order = sorted(found.candidates, key=lambda one: (not one.chosen, one.verdict == "fails"))
    names = [
        Name(f"{one.kind} ({one.retained:.1%})", _at(one), _COLOURS[one.verdict], bold=one.chosen)
        for one in order
    ]
    write_names(axes, names, _obstacles(axes, found.candidates))
    return drawn


def _at(one: CandidateReport) -> tuple[float, float]:
    return one.bytes / 1000, 100 * one.retained


def _scales(axes: Axes, found: CompressionReport) -> None:
    sizes = [one.bytes / 1000 for one in found.candidates]
    axes.set_xscale("log")
    axes.set_xlim(min(sizes) / _ROOM, max(sizes) * _ROOM**2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("model.onnx of the largest series [kB]")
    axes.set_ylabel(f"skill kept of {found.original} [%]")
    axes.axhline(100 * found.keep, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    axes.margins(y=0.15)
    grid(axes)


def _point(axes: Axes, one: CandidateReport) -> None:
    x, y = _at(one)
    colour = _COLOURS[one.verdict]
    if one.retained_ci is not None:
        ends = [100 * end for end in one.retained_ci]
        axes.plot([x, x], ends, color=colour, linewidth=1.6, alpha=0.35, zorder=2)
    if one.chosen:
        axes.plot(x, y, "o", markersize=14, mfc="none", mec="black", mew=1.4, zorder=2)
    axes.plot(x, y, "o", markersize=7, mfc=colour, mec=colour, zorder=3)


def _legend(axes: Axes, candidates: Sequence[CandidateReport]) -> None:
    for verdict in dict.fromkeys(one.verdict for one in candidates):
        axes.plot([], [], "o", color=_COLOURS[verdict], label=verdict)
    axes.plot([], [], "--", color=GREY, linewidth=0.8, label="to be kept")
    axes.figure.legend(loc="outside lower center", ncols=8, frameon=False, fontsize=8)


def _obstacles(axes: Axes, candidates: Sequence[CandidateReport]) -> list[Box]:
    boxes = []
    for one in candidates:
        x, y = axes.transData.transform(_at(one))
        reach = _RING if one.chosen else _MARKER
        boxes.append(Box(x - reach, y - reach, x + reach, y + reach))
    return boxes
