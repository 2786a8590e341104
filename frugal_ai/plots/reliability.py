"""Do the quantiles hold: observed against nominal levels, and coverage by lead time."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from frugal_ai.backtest.compare import Interval, Resamples
from frugal_ai.backtest.metrics import FloatArray
from frugal_ai.backtest.probabilistic import uncertain
from frugal_ai.drawing import BLUE, GREEN, GREY, VERMILLION, grid
from frugal_ai.plots.canvas import FEW, lead_axis, legend_below, open_figure, percent
from frugal_ai.plots.means import Curve, by_lead_time, overall
from frugal_ai.plots.subject import LEVEL, Subject
from frugal_ai.report.forecasts import ForecastTable

NO_QUANTILES = "no quantiles were forecast, there is nothing to check"
_COLOURS = (BLUE, VERMILLION, GREEN)
_HOUR_S = 3600


@dataclass(frozen=True)
class Coverage:
    """How often the actual lay between a pair of quantiles, ends included [1].

    Attributes
    ----------
    nominal
        Distance of the two levels.
    observed
        Over all lead times; None where no target is uncertain.
    by_lead
        At each lead time [H].
    """

    nominal: float
    observed: Interval | None
    by_lead: Curve


@dataclass(frozen=True)
class Reliability:
    """Observed against nominal levels.

    Attributes
    ----------
    observed
        Share of actuals that the quantile of each level was not below [1], Q.
    coverages
        Of the pairs of levels, the outer pair first, at most three.
    open
        Share of the scored targets that are uncertain [1]; of the others, as of PV at night, a
        quantile of any level is right.
    """

    observed: tuple[Interval, ...]
    coverages: tuple[Coverage, ...]
    open: float


def reliability(table: ForecastTable, resamples: Resamples) -> Reliability | None:
    """Count on which side of its quantiles the actual lay, as the scores of a run do.

    Parameters
    ----------
    table
        With at least one level.
    resamples
        Of its origins.

    Returns
    -------
    Reliability or None
        None where no target is uncertain.
    """
    quantiles, actual = table.quantiles, table.actual
    used = uncertain(quantiles[..., 0], quantiles[..., -1], actual)
    if not used.any():
        return None
    observed = []
    for level in range(len(table.levels)):
        below = np.where(used, actual <= quantiles[..., level], np.nan)
        observed.append(_share(overall(below, resamples, LEVEL)))
    last = len(table.levels) - 1
    pairs = [(low, last - low) for low in range((last + 1) // 2)][: len(_COLOURS)]
    coverages = tuple(_coverage(table, pair, resamples) for pair in pairs)
    scored = ~np.isnan(actual)
    return Reliability(tuple(observed), coverages, float(used.sum() / scored.sum()))


def _coverage(table: ForecastTable, pair: tuple[int, int], resamples: Resamples) -> Coverage:
    low, high = table.quantiles[..., pair[0]], table.quantiles[..., pair[1]]
    used = uncertain(low, high, table.actual)
    inside = np.where(used, (low <= table.actual) & (table.actual <= high), np.nan)
    nominal = table.levels[pair[1]] - table.levels[pair[0]]
    observed = _share(overall(inside, resamples, LEVEL)) if used.any() else None
    return Coverage(nominal, observed, by_lead_time(inside, resamples, LEVEL))


def _share(interval: Interval) -> Interval:
    """Keep the interval of a share within 1."""
    return Interval(interval.value, interval.low, min(interval.high, 1.0))


def draw(subject: Subject) -> Figure:
    """Draw the picture, or say in it that there are no quantiles."""
    found = None
    if subject.table.levels:
        found = reliability(subject.table, subject.resamples)
    said = _said(found) if found else ()
    title = f"Reliability of the quantiles: {subject.title}"
    drawn = open_figure(3.8 if found else 0.8, title, subject.described(*said), subject.cautions)
    if found is None:
        axes = drawn.add_subplot()
        axes.text(0.5, 0.5, _nothing(subject.table), ha="center", va="center")
        axes.set_axis_off()
        return drawn
    left, right = drawn.subplots(1, 2, width_ratios=(1.0, 1.35))
    _draw_levels(left, subject.table, found)
    _draw_coverage(right, subject.table, found)
    legend_below(drawn, right)
    return drawn


def _nothing(table: ForecastTable) -> str:
    if not table.levels:
        return NO_QUANTILES
    return "every target is certain, there is nothing to check"


def _said(found: Reliability) -> tuple[str, ...]:
    covered = [
        f"{percent(one.nominal)} interval covers {_with_interval(one.observed)}"
        for one in found.coverages
        if one.observed
    ]
    some = f"scored where uncertain, at {percent(found.open)} of the targets"
    return (*covered, *([some] if found.open < 1 else []))


def _with_interval(share: Interval) -> str:
    ends = f" [{100 * share.low:.1f}, {100 * share.high:.1f}]" if share.known else ""
    return f"{100 * share.value:.1f}{ends} %"


def _draw_levels(axes: Axes, table: ForecastTable, found: Reliability) -> None:
    nominal = 100 * np.array(table.levels)
    value, low, high = _columns(found.observed)
    axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--")
    axes.plot(nominal, value, "o-", color=BLUE, ms=4, lw=1.2)
    axes.errorbar(nominal, value, [value - low, high - value], fmt="none", ecolor=BLUE, capsize=3)
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    axes.set_xlabel("Nominal level [%]")
    axes.set_ylabel("Actuals not above the quantile [%]")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_title(f"Levels, with {percent(LEVEL)} intervals", loc="left", fontsize=9)
    grid(axes)


def _columns(intervals: tuple[Interval, ...]) -> FloatArray:
    """Return values, lower and upper ends [3, n] in percent, NaN where an end is not known."""
    rows = [
        (one.value, one.low, one.high) if one.known else (one.value, np.nan, np.nan)
        for one in intervals
    ]
    return 100 * np.array(rows).T


def _draw_coverage(axes: Axes, table: ForecastTable, found: Reliability) -> None:
    hours = table.step_s * np.arange(table.steps) / _HOUR_S
    axes.set_title(
        f"Coverage by lead time, with {percent(LEVEL)} intervals", loc="left", fontsize=9
    )
    axes.set_xlabel("Lead time [h]")
    axes.set_ylabel("Actuals inside the interval [%]")
    axes.set_ylim(0, 100)
    lead_axis(axes, hours)
    grid(axes)
    axes.plot([], [], color=GREY, lw=1, ls="--", label="nominal")
    if not found.coverages:
        axes.text(0.5, 0.5, "one level makes no interval", ha="center", transform=axes.transAxes)
    marker = "o" if table.steps < FEW else None
    for coverage, colour in zip(found.coverages, _COLOURS, strict=False):
        curve = coverage.by_lead
        axes.axhline(100 * coverage.nominal, color=colour, lw=1, ls="--")
        axes.fill_between(
            hours, 100 * curve.low, np.minimum(100 * curve.high, 100), color=colour, alpha=0.2, lw=0
        )
        label = f"{percent(coverage.nominal)} interval"
        axes.plot(hours, 100 * curve.mean, color=colour, lw=1.4, marker=marker, ms=4, label=label)
