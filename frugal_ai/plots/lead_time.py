"""Error by lead time: the chosen rung against the better seasonal naive, with intervals."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from frugal_ai.backtest.compare import Resamples
from frugal_ai.backtest.metrics import FloatArray, deviations
from frugal_ai.drawing import BLUE, VERMILLION, grid
from frugal_ai.plots.canvas import FEW, lead_axis, legend_below, open_figure, percent, plain
from frugal_ai.plots.means import Curve, by_lead_time
from frugal_ai.plots.subject import LEVEL, Subject

_HOUR_S = 3600


def errors_with_intervals(forecast: FloatArray, actual: FloatArray, resamples: Resamples) -> Curve:
    """Compute the mean absolute error by lead time [unit of the series], with its intervals.

    Parameters
    ----------
    forecast, actual
        [S, O, H] [unit of the series].
    resamples
        Of the O origins.
    """
    return by_lead_time(np.abs(deviations(forecast, actual)), resamples, LEVEL)


def draw(subject: Subject) -> Figure:
    """Draw the picture."""
    table = subject.table
    chosen = errors_with_intervals(table.forecast, table.actual, subject.resamples)
    naive = errors_with_intervals(table.baseline, table.actual, subject.resamples)
    band = "too few origins for intervals"
    if np.isfinite(chosen.low).any():
        band = f"bands: {percent(LEVEL)} intervals, each of one lead time"
    drawn = open_figure(
        4.0,
        f"Error by lead time: {subject.title}",
        subject.described(band),
        subject.cautions,
    )
    axes = drawn.add_subplot()
    hours = table.step_s * np.arange(table.steps) / _HOUR_S
    _curve(axes, hours, naive, VERMILLION, "--", "seasonal naive, the better of day and week")
    _curve(axes, hours, chosen, BLUE, "-", subject.chosen)
    axes.set_xlabel("Lead time, from the origin to the start of the interval [h]")
    axes.set_ylabel(f"MAE [{subject.report.unit}]")
    axes.set_ylim(bottom=0.0)
    lead_axis(axes, hours)
    plain(axes)
    grid(axes)
    legend_below(drawn, axes)
    return drawn


def _curve(
    axes: Axes, hours: FloatArray, errors: Curve, colour: str, dash: str, label: str
) -> None:
    axes.fill_between(hours, errors.low, errors.high, color=colour, alpha=0.2, linewidth=0)
    marker = "o" if len(hours) < FEW else None
    axes.plot(
        hours, errors.mean, dash, color=colour, linewidth=1.6, marker=marker, ms=4, label=label
    )
    if len(hours) < FEW:
        ends = np.stack([errors.mean - errors.low, errors.high - errors.mean])
        axes.errorbar(hours, errors.mean, ends, fmt="none", ecolor=colour, capsize=3)
