"""A bill as two pictures: its stages, and what it depends on most."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from frugal_ai.bill.bill import Bill
from frugal_ai.bill.tornado import Turn
from frugal_ai.drawing import BLUE, GREY, SKY, VERMILLION, grid, new_figure, style, to_svg
from frugal_ai.wording import mass, scale

_TURNS = 12
_SEEN = 0.005  # of the widest bar; what moves less is not seen
_TICKS = 7
_LIGHT = "#bbbbbb"
_WIDTH = 8.0  # [inches]
_COLUMNS = 46  # letters of a label


def bill_svg(bill: Bill) -> str:
    """Draw the emissions of each stage with the range of its factors, as SVG text."""
    title = f"Life cycle of {bill.model}: {mass(bill.whole.gco2e)}"
    said = "; ".join(f"{stage} {mass(one.gco2e)}" for stage, one in bill.stages.items())
    with style():
        return to_svg(_stages(bill, title), title, f"Emissions by stage, {bill.fleet}: {said}")


def tornado_svg(bill: Bill) -> str:
    """Draw how far the most telling drivers move the bill, as SVG text."""
    title = f"What the life cycle of {bill.model} depends on"
    said = "; ".join(turn.sentence(bill.whole.gco2e) for turn in bill.turns[:_TURNS])
    with style():
        return to_svg(_tornado(bill, title), title, f"{bill.fleet}: {said}")


def _stages(bill: Bill, title: str) -> Figure:
    shown = [(name, one) for name, one in bill.stages.items() if one.gco2e > 0]
    drawn = new_figure(_WIDTH, 1.4 + 0.32 * max(len(shown), 1))
    axes = drawn.add_subplot()
    for row, (_, one) in enumerate(reversed(shown)):
        spread = one.gco2e_ranges["factors"]
        axes.barh(row, one.gco2e, 0.6, color=BLUE)
        axes.plot([spread.low, spread.high], [row, row], color="black", linewidth=1.4)
        axes.annotate(
            f" {mass(one.gco2e)}", (max(one.gco2e, spread.high), row), va="center", fontsize=8
        )
    axes.set_yticks(range(len(shown)), [name for name, _ in reversed(shown)])
    if shown:
        amounts = [one.gco2e for _, one in shown]
        axes.set_xscale("log")
        axes.set_xlim(min(amounts) / 10, max(amounts) * 100)
        axes.xaxis.set_major_locator(LogLocator(numticks=_TICKS))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: mass(value)[:-4]))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("CO2e; the black line is the range of the factors")
    _head(axes, title, bill.fleet)
    return drawn


def _tornado(bill: Bill, title: str) -> Figure:
    turns = [one for one in bill.turns[:_TURNS] if one.width > _SEEN * bill.turns[0].width]
    drawn = new_figure(_WIDTH, 1.6 + 0.42 * max(len(turns), 1))
    axes = drawn.add_subplot()
    base, (size, unit) = bill.whole.gco2e, scale(bill.whole.gco2e)
    told: dict[str, str] = {}
    for row, turn in enumerate(reversed(turns)):
        for grams, (colour, label) in zip((turn.low_g, turn.high_g), _ends(turn), strict=True):
            new = None if label in told else label
            axes.barh(row, (grams - base) / size, 0.6, left=base / size, color=colour, label=new)
            told[label] = colour
    axes.axvline(base / size, color="black", linewidth=1.0)
    labels = [textwrap.fill(turn.driver.label, _COLUMNS) for turn in reversed(turns)]
    axes.set_yticks(range(len(turns)), labels, fontsize=8)
    axes.set_xlabel(f"{unit}CO2e of the whole life")
    drawn.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    _head(axes, title, bill.fleet)
    return drawn


def _ends(turn: Turn) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return colour and label of either end."""
    if turn.driver.kind == "declared":
        return (_LIGHT, "halved"), (GREY, "doubled, or all of it")
    return (SKY, "low end of its range"), (VERMILLION, "high end of its range")


def _head(axes: Axes, title: str, fleet: str) -> None:
    axes.set_title(f"{title}\n{fleet}", loc="left", fontsize=10)
    grid(axes)
