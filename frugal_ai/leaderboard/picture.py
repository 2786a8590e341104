"""Error against CO2e: one point per rung, the Pareto front, the chosen rung."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from frugal_ai.drawing import (
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    WARNING,
    grid,
    new_figure,
    style,
    to_svg,
)
from frugal_ai.leaderboard.figures import figure, is_measured, method
from frugal_ai.leaderboard.labels import Box
from frugal_ai.leaderboard.names import Name, write_names
from frugal_ai.report import RungRow, RunReport
from frugal_ai.selection.pareto import front

_SIZE = (8.0, 5.0)  # [inches]
_COLOURS = {"naive": GREY, "linear": BLUE, "boosting": VERMILLION}
_OTHER = GREEN
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_FRONT = "#999999"
_MARKER, _RING = 5.0, 9.0  # how far they reach around a point [pixels]
_LEFT, _RIGHT = 0.08, 0.3  # room beside the points for their names, of the range of CO2e
_DECADES = 50.0  # ratio of costs from which powers of ten are ticks enough
_LINE = 64  # letters that a line of titles holds
_LOG_FROM = 3.0  # ratio of errors from which a linear axis would squeeze the best together


def pareto_svg(report: RunReport) -> str:
    """Draw a run as SVG text, byte-identical for the same figures."""
    return svg(report.rows(), report.title or report.pipeline)


def svg(rows: Sequence[RungRow], title: str) -> str:
    """Draw rungs as SVG text, byte-identical for the same rows.

    Parameters
    ----------
    rows
        Of one run; those without an error or a cost are named below the picture.
    title
        Of the picture.
    """
    with style():
        return to_svg(draw(rows, title), title, _described(rows))


def _described(rows: Sequence[RungRow]) -> str:
    errors = "; ".join(f"{row.rung} {figure(row.mae, 4)} {row.unit}" for row in rows)
    chosen = "".join(f" Chosen: {row.rung}." for row in rows if row.chosen)
    return f"Mean absolute error on the test origins against CO2e, by rung: {errors}.{chosen}"


def draw(rows: Sequence[RungRow], title: str) -> Figure:
    """Draw rungs as a figure."""
    drawn = new_figure(*_SIZE)
    axes = drawn.add_subplot()
    points = [row for row in rows if row.mae and row.life_g]
    left_out = [row.rung for row in rows if row not in points]
    _titles(axes, rows, title)
    if points:
        _scales(axes, points)
        _front(axes, points)
        for row in points:
            _point(axes, row)
        _legend(axes, points)
        drawn.draw_without_rendering()  # sizes of text and axes are known from here on
        drawn.set_layout_engine("none")
        _labels(axes, points)
    else:
        axes.text(0.5, 0.5, "no rung has an error and a cost", ha="center")
        axes.set_axis_off()
    if left_out:
        names = ", ".join(left_out)
        drawn.text(0.995, 0.005, f"no error or cost known: {names}", ha="right", fontsize=7)
    return drawn


def _titles(axes: Axes, rows: Sequence[RungRow], title: str) -> None:
    """Write the title, and what a reader is warned of: beside it, or below it where it is long."""
    warnings = {"simulated data": any(row.simulated for row in rows),
                "perfect weather": any(row.weather == "perfect" for row in rows)}  # fmt: skip
    said = ", ".join(text for text, holds in warnings.items() if holds)
    below = "\n" if said and len(title) + len(said) > _LINE else ""
    axes.set_title(title + below, loc="left", fontweight="bold", fontsize=11)
    axes.set_title(said, loc="right", color=WARNING, fontweight="bold")


def _scales(axes: Axes, points: Sequence[RungRow]) -> None:
    first = points[0]
    errors = [row.mae for row in points if row.mae]
    if max(errors) / min(errors) > _LOG_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.set_xscale("log")
    costs = [_at(row)[0] for row in points]
    span = max(max(costs) / min(costs), 10.0)
    axes.set_xlim(min(costs) / span**_LEFT, max(costs) * span**_RIGHT)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if span > _DECADES else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    use = f" and {first.forecasts:,} forecasts" if first.forecasts else ""
    spread = ""
    if first.energy_spread is not None:
        spread = f" (within a factor of {first.energy_spread:g}, the same for all rungs)"
    what = f"CO2e of training{use}"
    if first.fleet:
        what = f"CO2e that hangs on the rung over the life of {first.fleet}"
    axes.set_xlabel(f"{what} [gCO2e]\n{method(first.energy_method)}{spread}")
    axes.set_ylabel(f"MAE on the test origins [{first.unit}]")
    axes.margins(y=0.12)
    grid(axes)


def _power(value: float) -> str:
    """Write a tick of a logarithmic axis: 10⁻⁶, 2×10⁻⁵."""
    mantissa, exponent = f"{value:.0e}".split("e")
    power = f"10{str(int(exponent)).translate(_RAISED)}"
    return power if mantissa == "1" else f"{mantissa}\u00d7{power}"


def _colour(row: RungRow) -> str:
    return _COLOURS.get(row.family, _OTHER)


def _at(row: RungRow) -> tuple[float, float]:
    """Return a point's place: CO2e [gCO2e] and error."""
    return row.life_g or 0.0, row.mae or 0.0


def _best(points: Sequence[RungRow]) -> list[RungRow]:
    co2e, error = np.array([_at(row) for row in points], dtype=np.float64).T
    kept = [row for row, keep in zip(points, front(error, co2e), strict=True) if keep]
    return sorted(kept, key=_at)


def _front(axes: Axes, points: Sequence[RungRow]) -> None:
    best = _best(points)
    x, y = zip(*map(_at, best), strict=True)
    axes.step(x, y, where="post", color=_FRONT, linewidth=1.2, zorder=1, label="Pareto front")


def _point(axes: Axes, row: RungRow) -> None:
    colour = _colour(row)
    x, y = _at(row)
    if row.mae_ci is not None:
        low, high = row.mae_ci
        axes.plot([x, x], [low, high], color=colour, linewidth=1.6, alpha=0.35, zorder=2)
    if row.chosen:
        axes.plot(x, y, "o", markersize=14, mfc="none", mec="black", mew=1.4, zorder=2)
    fill = colour if is_measured(row.energy_method) else "white"
    axes.plot(x, y, "o", markersize=7, mfc=fill, mec=colour, mew=1.6, zorder=3)


def _legend(axes: Axes, points: Sequence[RungRow]) -> None:
    measured = is_measured(points[0].energy_method)
    for family in dict.fromkeys(row.family for row in points):
        colour = _COLOURS.get(family, _OTHER)
        fill = colour if measured else "white"
        axes.plot([], [], "o", mfc=fill, mec=colour, mew=1.6, label=family)
    if any(row.chosen for row in points):
        axes.plot([], [], "o", markersize=11, mfc="none", mec="black", mew=1.4, label="chosen")
    axes.figure.legend(loc="outside lower center", ncols=8, frameon=False, fontsize=8)


def _labels(axes: Axes, points: Sequence[RungRow]) -> None:
    """Name each point, the chosen and the best first."""
    best = _best(points)
    order = sorted(points, key=lambda row: (not row.chosen, row not in best, row.mae or 0.0))
    names = [
        Name(f"{row.rung} ({figure(row.mae, 4)})", _at(row), _colour(row), bold=row.chosen)
        for row in order
    ]
    write_names(axes, names, _obstacles(axes, points))


def _obstacles(axes: Axes, points: Sequence[RungRow]) -> list[Box]:
    """Return what labels should not cover: markers, intervals, the steps of the front."""
    boxes = []
    for row in points:
        x, y = axes.transData.transform(_at(row))
        reach = _RING if row.chosen else _MARKER
        boxes.append(Box(x - reach, y - reach, x + reach, y + reach))
        if row.mae_ci is not None:
            (_, low), (_, high) = (
                axes.transData.transform((_at(row)[0], end)) for end in row.mae_ci
            )
            boxes.append(Box(x - 1, low, x + 1, high))
    corners = [axes.transData.transform(_at(row)) for row in _best(points)]
    for (left, top), (right, bottom) in pairwise(corners):
        boxes.append(Box(left, top - 1, right, top + 1))
        boxes.append(Box(right - 1, bottom, right + 1, top))
    return boxes
