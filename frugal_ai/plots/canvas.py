"""What the pictures of a run have in common: head, cautions, clocks, legends."""

import textwrap
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib.dates as mpl_dates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from frugal_ai.backtest.metrics import FloatArray, IntArray
from frugal_ai.data.calendar import DAY_S
from frugal_ai.drawing import DPI, WARNING, new_figure

FEW = 3
"""With fewer points a line needs marks to be seen."""

_WIDTH = 8.0  # [inches]
_CLOCK_STEPS_S = (60, 300, 900, 1800, *(3600 * hours for hours in (1, 2, 3, 6, 12)))
_CLOCK_TICKS = 4
_EDGE, _GAP = 6.0, 3.0  # around a picture, and between the lines of its head [pixels]


def open_figure(height: float, title: str, subtitle: str, cautions: Sequence[str]) -> Figure:
    """Open a figure with its head: title, subtitle and, in red, what has to be known.

    Parameters
    ----------
    height
        Of what is below the head [inches]; the head adds what it needs.
    """
    drawn = new_figure(_WIDTH, height)
    lines = [
        _line(drawn, title, fontsize=11, fontweight="bold"),
        _line(drawn, subtitle, fontsize=8, color="#333333"),
    ]
    if cautions:
        caution = "; ".join(cautions)
        lines.append(_line(drawn, caution, fontsize=8, fontweight="bold", color=WARNING))
    heights = [line.get_window_extent().height for line in lines]
    head = _EDGE + sum(heights) + _GAP * len(lines)
    total = height * DPI + head
    drawn.set_size_inches(_WIDTH, total / DPI)
    top = _EDGE
    for line, size in zip(lines, heights, strict=True):
        line.set_position((_EDGE / (_WIDTH * DPI), 1 - top / total))
        top += size + _GAP
    engine = drawn.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.0, 0.0, 1.0, 1 - head / total))  # type: ignore[call-arg] # constrained
    return drawn


def _line(drawn: Figure, text: str, **font: object) -> Text:
    """Add a text, broken where it would leave the picture."""
    there = drawn.text(0.0, 1.0, text, ha="left", va="top", **font)  # type: ignore[arg-type] # font
    room = _WIDTH * DPI - 2 * _EDGE
    columns = len(text)
    while there.get_window_extent().width > room and columns > 1:
        columns = min(columns - 1, int(columns * room / there.get_window_extent().width) + 1)
        there.set_text(textwrap.fill(text, columns))
    return there


def instants(times: IntArray) -> np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]:
    """Turn [unix s] into what matplotlib takes for time."""
    return times.astype("datetime64[s]")


def clock_axis(axes: Axes, start: int, end: int, place: ZoneInfo, most: int) -> None:
    """Label a time axis by the local clock: hours where it is short, else days.

    Parameters
    ----------
    start, end
        What is shown [unix s].
    place
        Whose clock.
    most
        As many days have room for their names.
    """
    dates: Any = mpl_dates  # has no types
    midnights = _wall_clock(start, end, place, DAY_S)
    if end - start <= 2 * DAY_S:
        every = next(step for step in _CLOCK_STEPS_S if (end - start) / step <= _CLOCK_TICKS)
        axes.xaxis.set_major_locator(FixedLocator(_wall_clock(start, end, place, every)))
        axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=place))
    elif len(midnights) <= most:
        axes.xaxis.set_major_locator(FixedLocator(midnights))
        axes.xaxis.set_major_formatter(NullFormatter())
        noons = set(_wall_clock(start, end, place, DAY_S // 2)) - set(midnights)
        axes.xaxis.set_minor_locator(FixedLocator(sorted(noons)))
        axes.xaxis.set_minor_formatter(dates.DateFormatter("%a %d %b", tz=place))
        axes.tick_params(which="minor", length=0)
    else:
        axes.xaxis.set_major_locator(FixedLocator(midnights[:: -(-len(midnights) // most)]))
        axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b", tz=place))
    # without the last instant, whose label would touch that of the picture to the right
    axes.set_xlim(*instants(np.array([start, end - 1])))


def _wall_clock(start: int, end: int, place: ZoneInfo, every_s: int) -> list[float]:
    """List instants from start to before end, as matplotlib counts [days], at round local times.

    Parameters
    ----------
    start, end
        [unix s].
    place
        Whose clock.
    every_s
        From one local time to the next, a part of a day [s].
    """
    first = datetime.fromtimestamp(start, place).date()
    days = [first + timedelta(days=number) for number in range((end - start) // DAY_S + 2)]
    clock = [timedelta(seconds=at) for at in range(0, DAY_S, every_s)]
    walls = [datetime.combine(day, time(0)) + at for day in days for at in clock]
    found = {int(wall.replace(tzinfo=place).timestamp()) for wall in walls}
    return [at / DAY_S for at in sorted(found) if start <= at < end]


def lead_axis(axes: Axes, hours: FloatArray) -> None:
    """Place the ticks of lead times [h]."""
    if len(hours) < FEW:
        axes.set_xticks(hours.tolist())
        axes.set_xlim(hours[0] - 1, hours[-1] + 1)
        return
    axes.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 3, 4, 6, 10]))
    axes.margins(x=0.01)


def day(number: int) -> str:
    """Write a local day [days since 1970-01-01]: 1 Feb 2024."""
    date = np.datetime64(number, "D").astype(object)
    return f"{date.day} {date:%b %Y}"


def days(first: int, last: int) -> str:
    """Write a range of local days: 29 Jan to 4 Feb 2024."""
    start, end = day(first), day(last)
    if first == last:
        return end
    year = start[-5:]
    return f"{start.removesuffix(year) if end.endswith(year) else start} to {end}"


def plain(axes: Axes) -> None:
    """Write the numbers of the y axis in full, thousands apart."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def number(value: float) -> str:
    """Write a tick."""
    return f"{value:,.6g}".replace("-", "\u2212")


def legend_below(drawn: Figure, axes: Axes) -> None:
    """Explain the marks of an axes in a line below the picture."""
    drawn.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=8,
        frameon=False,
        fontsize=8,
    )


def percent(share: float) -> str:
    """Write a share [1]: 80 %."""
    return f"{100 * share:.3g}\u00a0%"
