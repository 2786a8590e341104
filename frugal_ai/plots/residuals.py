"""Residuals by local hour: where a forecast is too high, too low or uncertain."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from frugal_ai.backtest.metrics import FloatArray, deviations
from frugal_ai.data.calendar import DAY_S, local_seconds
from frugal_ai.drawing import BLUE, SKY, VERMILLION, grid
from frugal_ai.plots.canvas import legend_below, open_figure, plain
from frugal_ai.plots.subject import Subject
from frugal_ai.report.forecasts import ForecastTable

_HOURS = 24
_HOUR_S = 3600
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class HourlyResiduals:
    """How forecast - actual is distributed in each hour of the local day [unit of the series].

    Attributes
    ----------
    quantiles
        [24, 5] at levels 5, 25, 50, 75 and 95 %, NaN in an hour without a score.
    bias
        Mean [24].
    """

    quantiles: FloatArray
    bias: FloatArray


def by_hour(table: ForecastTable, timezone: str) -> HourlyResiduals:
    """Describe the residuals of each local hour, per series and then averaged over series.

    Parameters
    ----------
    table
        Test forecasts.
    timezone
        IANA name of the clock that hours are told by.
    """
    residual = deviations(table.forecast, table.actual)  # [S, O, H]
    hour = local_seconds(timezone, table.times) % DAY_S // _HOUR_S  # [O, H]
    quantiles = np.full((_HOURS, len(_LEVELS)), np.nan)
    bias = np.full(_HOURS, np.nan)
    for at in range(_HOURS):
        cut = residual[:, hour == at]
        scored = [row[~np.isnan(row)] for row in cut]
        told = [row for row in scored if len(row)]
        if told:
            quantiles[at] = np.mean([np.quantile(row, _LEVELS) for row in told], axis=0)
            bias[at] = np.mean([row.mean() for row in told])
    return HourlyResiduals(quantiles, bias)


def draw(subject: Subject) -> Figure:
    """Draw the picture."""
    found = by_hour(subject.table, subject.report.timezone)
    drawn = open_figure(
        4.0, f"Residuals by local hour: {subject.title}", subject.described(), subject.cautions
    )
    axes = drawn.add_subplot()
    hours = np.arange(_HOURS) + 0.5
    p05, p25, p50, p75, p95 = found.quantiles.T
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.bar(hours, p95 - p05, 0.3, bottom=p05, color=SKY, alpha=0.6, label="5 to 95 %")
    axes.bar(hours, p75 - p25, 0.66, bottom=p25, color=SKY, label="25 to 75 %")
    axes.hlines(p50, hours - 0.33, hours + 0.33, color=BLUE, linewidth=2, label="median")
    axes.plot(hours, found.bias, "D", color=VERMILLION, ms=3.5, label="mean (bias)")
    axes.use_sticky_edges = False
    axes.set_xlim(0, _HOURS)
    axes.xaxis.set_major_locator(FixedLocator(range(0, _HOURS + 1, 3)))
    axes.set_xlabel(f"Hour of the local day ({subject.report.timezone})")
    axes.set_ylabel(f"Forecast \u2212 actual [{subject.report.unit}]")
    plain(axes)
    grid(axes)
    legend_below(drawn, axes)
    return drawn
