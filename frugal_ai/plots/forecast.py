"""Forecast against actual with its quantile band: a week of median error and the worst days."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from frugal_ai.backtest.metrics import FloatArray, IntArray
from frugal_ai.drawing import BLUE, SKY, grid
from frugal_ai.leaderboard.figures import figure
from frugal_ai.plots import canvas
from frugal_ai.plots.days import Days, all_days, in_a_row, median_week, worst_days
from frugal_ai.plots.subject import Subject
from frugal_ai.report.forecasts import ForecastTable

_WORST = ("Worst day", "Second worst day", "Third worst day")
_ROOM = 9  # days whose names fit into the width of a picture
_SHADE, _DARKER = 0.4, 0.2  # of the outer band, and of each next inner one


def draw(subject: Subject) -> Figure:
    """Draw the picture."""
    table, timezone = subject.table, subject.report.timezone
    week = median_week(table, timezone)
    worst = worst_days(table, timezone, len(_WORST))
    drawn = canvas.open_figure(
        5.4,
        f"Forecast and actual: {subject.title}",
        subject.described(),
        subject.cautions,
    )
    cells = drawn.add_gridspec(2, len(_WORST))
    wide = drawn.add_subplot(cells[0, :])
    name = "Week of median error" if week else "Whole test, less than a week"
    _panel(wide, subject, week or all_days(table, timezone), name, wide=True)
    shared: Axes | None = None
    for column, (name, days) in enumerate(zip(_WORST, worst, strict=False)):
        axes = drawn.add_subplot(cells[1, column], sharey=shared)
        shared = shared or axes
        _panel(axes, subject, days, name, wide=False)
        axes.tick_params(labelleft=axes is shared)
        axes.set_xlabel(f"Local time ({timezone})" if column == len(worst) // 2 else "")
    drawn.supylabel(subject.quantity, fontsize=9)
    canvas.legend_below(drawn, wide)
    return drawn


def _panel(axes: Axes, subject: Subject, days: Days, name: str, *, wide: bool) -> None:
    """Draw the forecasts from some days, each up to where the next one begins."""
    table = subject.table
    origins = in_a_row(table, days.origins)
    times, rows = _joined(table, origins)
    actual, forecast = table.actual[0].ravel()[rows], table.forecast[0].ravel()[rows]
    holes = np.flatnonzero(np.diff(times) > table.step_s) + 1
    when = canvas.instants(np.insert(times, holes, times[holes - 1] + table.step_s))
    for number, (low, high, label) in enumerate(_bands(table, rows)):
        ends = np.insert(low, holes, np.nan), np.insert(high, holes, np.nan)
        shade = _SHADE + _DARKER * number
        axes.fill_between(when, ends[0], ends[1], color=SKY, alpha=shade, lw=0, label=label)
    marker = "o" if table.steps < canvas.FEW else None
    for values, colour, width, label in (
        (forecast, BLUE, 2.0, f"forecast by {subject.chosen}"),
        (actual, "black", 0.9, "actual"),
    ):
        line = np.insert(values, holes, np.nan)
        axes.plot(
            when, line, color=colour, lw=width, marker=marker, ms=3, label=label, clip_on=False
        )
    end = int(times[-1]) + table.step_s
    canvas.clock_axis(axes, int(times[0]), end, subject.timezone, _ROOM if wide else _ROOM // 3)
    dated = f"{name}, {canvas.days(days.first, days.last)}:"
    error = f"MAE {figure(days.mae, 3)} {subject.report.unit}"
    axes.set_title(f"{dated}{' ' if wide else chr(10)}{error}", loc="left", fontsize=9)
    canvas.plain(axes)
    grid(axes)


def _joined(table: ForecastTable, origins: IntArray) -> tuple[IntArray, IntArray]:
    """Lay forecasts in a row: times [unix s], and where they are among the table's O * H."""
    ends = np.append(table.origins[origins[1:]], np.iinfo(np.int64).max)
    kept = table.times[origins] < ends[:, None]
    rows = origins[:, None] * table.steps + np.arange(table.steps)
    return table.times[origins][kept], rows[kept]


def _bands(table: ForecastTable, rows: IntArray) -> list[tuple[FloatArray, FloatArray, str]]:
    """Pair the outer levels, then the next inner ones."""
    flat = table.quantiles[0].reshape(table.actual[0].size, -1)[rows]
    q = [100 * level for level in table.levels]
    pairs = [(i, len(table.levels) - 1 - i) for i in range(len(table.levels) // 2)]
    return [
        (flat[:, low], flat[:, high], f"{q[low]:.4g} to {q[high]:.4g} %") for low, high in pairs
    ]
