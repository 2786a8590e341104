"""What the data of a panel are like, series by series."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from frugal_ai.data.calendar import DAY_S
from frugal_ai.data.gaps import BoolArray, Runs, runs
from frugal_ai.data.panel import FloatArray, Panel, format_time
from frugal_ai.data.policy import QualityPolicy
from frugal_ai.settings import format_duration

_LEVEL_DAYS = 14  # days on either side that make a level: two weeks of either weekdays and wind


@dataclass(frozen=True)
class Jump:
    """A sudden change of level: when it came [unix s] and by which factor."""

    start: int
    factor: float


@dataclass(frozen=True)
class SeriesQuality:
    """What one series is like in the period inspected.

    Attributes
    ----------
    series_id
        Its name.
    first, last
        Start of the first and the last interval with a value [unix s]; None when there is none.
    observed, missing
        Number of values, and of intervals without one between the first and the last.
    gap_start, gap_steps
        The longest gap between two values [unix s, steps].
    flat_start, flat_steps
        The longest stand-still that the policy calls stuck [unix s, steps]; 0 steps for none.
    flat_runs, zero_steps
        Number of such stand-stills, and how long those at zero are together [steps].
    outside, outside_start
        Number of impossible values, and the first of them [unix s].
    jumps
        Changes of unit.
    filled
        Number of missing values that were filled in the history of forecasts.
    """

    series_id: str
    first: int | None
    last: int | None
    observed: int
    missing: int
    gap_start: int
    gap_steps: int
    flat_start: int
    flat_steps: int
    outside: int
    outside_start: int
    jumps: tuple[Jump, ...]
    filled: int = 0
    flat_runs: int = 0
    zero_steps: int = 0


@dataclass(frozen=True)
class QualityReport:
    """What the data of a panel are like.

    Attributes
    ----------
    start, end
        The period inspected [unix s], `end` excluded.
    step_s
        Length of an interval [s].
    series
        One entry for each series.
    notes
        What was done to the rows when they were read.
    """

    start: int
    end: int
    step_s: int
    series: tuple[SeriesQuality, ...]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Say it: the notes, then one line for each series and each thing found in it."""
        return [*self.notes, *(line for one in self.series for line in self._about(one))]

    def _about(self, one: SeriesQuality) -> list[str]:
        name = one.series_id
        if one.first is None or one.last is None:
            return [f"{name}: no value"]
        span = f"{format_time(one.first)} to {format_time(one.last)}"
        lines = [f"{name}: {span}, {one.observed} values, {one.missing} missing"]
        if one.gap_steps:
            gap = format_time(one.gap_start)
            lines.append(f"{name}: longest gap {self._span(one.gap_steps)} from {gap}")
        if one.filled:
            lines.append(
                f"{name}: {one.filled} missing values filled in the history of forecasts;"
                " none of them is scored"
            )
        if one.flat_steps:
            flat = format_time(one.flat_start)
            times = f", the longest of {one.flat_runs} times" if one.flat_runs > 1 else ""
            lines.append(f"{name}: stuck for {self._span(one.flat_steps)} from {flat}{times}")
        if one.zero_steps:
            lines.append(f"{name}: stuck at zero for {self._span(one.zero_steps)} in all")
        if one.outside:
            first = format_time(one.outside_start)
            lines.append(f"{name}: {one.outside} impossible values, the first at {first}")
        lines += [
            f"{name}: level changes by the factor {jump.factor:.3g} at {format_time(jump.start)}"
            for jump in one.jumps
        ]
        return lines

    def _span(self, steps: int) -> str:
        return f"{steps} steps ({format_duration(timedelta(seconds=steps * self.step_s))})"


def inspect(
    panel: Panel,
    policy: QualityPolicy | None = None,
    *,
    start: int | None = None,
    end: int | None = None,
    notes: tuple[str, ...] = (),
) -> QualityReport:
    """Look at the series of a panel, changing nothing.

    Parameters
    ----------
    panel
        The data.
    policy
        What counts as stuck, impossible or a change of unit.
    start, end
        Period to look at [unix s], `end` excluded; by default all of the panel.
    notes
        What was done to the rows when they were read, for the report.
    """
    chosen = policy or QualityPolicy()
    begin = max(panel.start, panel.start if start is None else start)
    finish = min(panel.end, panel.end if end is None else end)
    left = -(-(begin - panel.start) // panel.step_s)
    right = -(-(finish - panel.start) // panel.step_s)
    window = panel.values[:, left : max(left, right)]
    origin = panel.start + left * panel.step_s
    found = tuple(
        _inspect_series(name, row, origin, panel.step_s, chosen)
        for name, row in zip(panel.series_ids, window, strict=True)
    )
    return QualityReport(start=begin, end=finish, step_s=panel.step_s, series=found, notes=notes)


def _inspect_series(
    name: str, row: FloatArray, start: int, step_s: int, policy: QualityPolicy
) -> SeriesQuality:
    """Look at one series [T] that starts at `start` [unix s]."""
    present = np.flatnonzero(~np.isnan(row))
    first, last = (int(present[0]), int(present[-1])) if len(present) else (0, -1)
    inner = row[first : last + 1]
    gap_at, gap = runs(np.isnan(inner)).longest()
    still = _flatlines(row, int(policy.flatline.total_seconds()) // step_s)
    flat_at, flat = still.longest()
    wrong = np.flatnonzero(impossible(row, policy))
    return SeriesQuality(
        series_id=name,
        first=start + first * step_s if len(present) else None,
        last=start + last * step_s if len(present) else None,
        observed=len(present),
        missing=len(inner) - len(present),
        gap_start=start + (first + gap_at) * step_s,
        gap_steps=gap,
        flat_start=start + flat_at * step_s,
        flat_steps=flat,
        outside=len(wrong),
        outside_start=start + int(wrong[0]) * step_s if len(wrong) else start,
        jumps=_jumps(row, start, step_s, policy.jump),
        flat_runs=len(still.lengths),
        zero_steps=int(still.lengths[row[still.starts] == 0.0].sum()),
    )


def impossible(values: FloatArray, policy: QualityPolicy) -> BoolArray:
    """Say which values [...] lie beyond the bounds of the policy; a missing one does not."""
    low = -np.inf if policy.minimum is None else policy.minimum
    high = np.inf if policy.maximum is None else policy.maximum
    return (values < low) | (values > high)


def _flatlines(row: FloatArray, least: int) -> Runs:
    """Find the stand-stills of at least `least` steps."""
    same = runs(np.diff(row) == 0.0)
    long = same.lengths + 1 >= least
    return Runs(starts=same.starts[long], lengths=same.lengths[long] + 1)


def _jumps(row: FloatArray, start: int, step_s: int, factor: float) -> tuple[Jump, ...]:
    """Find where the level of whole days [T] changes by a factor.

    The level is the median over two weeks of the daily means of the magnitude, so that neither a
    night of a PV plant nor a calm day of a wind farm is taken for a change of unit.
    """
    per_day = max(1, DAY_S // step_s)
    days = len(row) // per_day
    if days < 2 * _LEVEL_DAYS:
        return ()
    level = _daily_level(row[: days * per_day].reshape(days, per_day))
    median = _median_level(level)
    size = np.abs(_log_ratio(median[:-_LEVEL_DAYS], median[_LEVEL_DAYS:]))
    step = np.abs(_log_ratio(level[:-1], level[1:]))
    jumps = []
    found = runs(size >= np.log(factor))
    for at, length in zip(found.starts, found.lengths, strict=True):
        last_before = at + _LEVEL_DAYS - 1  # the medians differ for days around the change
        day = last_before + int(step[last_before : last_before + length].argmax()) + 1
        ratio = median[day] / median[day - _LEVEL_DAYS]
        jumps.append(Jump(start + int(day) * per_day * step_s, float(ratio)))
    return tuple(jumps)


def _median_level(level: FloatArray) -> FloatArray:
    """Return the median of each two weeks of daily levels; NaN where half of them is missing."""
    windows = np.lib.stride_tricks.sliding_window_view(level, _LEVEL_DAYS)
    median = np.full(len(windows), np.nan)
    enough = (~np.isnan(windows)).sum(axis=1) > _LEVEL_DAYS // 2
    median[enough] = np.nanmedian(windows[enough], axis=1)
    return median


def _log_ratio(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return log(after / before); 0 where either is zero or missing."""
    usable = (before > 0) & (after > 0)
    ratio = np.ones(len(before))
    np.divide(after, before, out=ratio, where=usable)
    return np.log(ratio)


def _daily_level(days: FloatArray) -> FloatArray:
    """Return the mean magnitude of each day [D]; NaN for a day without a value."""
    count = (~np.isnan(days)).sum(axis=1)
    total = np.nansum(np.abs(days), axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
