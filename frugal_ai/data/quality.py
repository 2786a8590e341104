"""The policy in force: what of a panel may be used, and what stands in for what is missing."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

import numpy as np

from frugal_ai.data.gaps import fill_history, runs
from frugal_ai.data.inspection import (
    Jump,
    QualityReport,
    SeriesQuality,
    impossible,
    inspect,
)
from frugal_ai.data.panel import FloatArray, IntArray, Panel, format_time
from frugal_ai.data.policy import QualityPolicy
from frugal_ai.errors import DataError
from frugal_ai.settings import format_duration

__all__ = [
    "Jump",
    "Period",
    "Prepared",
    "QualityPolicy",
    "QualityReport",
    "SeriesQuality",
    "enforce",
    "inspect",
]


@dataclass(frozen=True, kw_only=True)
class Period:
    """What of a panel a run uses [unix s].

    Attributes
    ----------
    start
        First interval that a model reads, in training or as history.
    first_origin, last_origin
        First and last origin at which forecasts are evaluated.
    end
        End of the last target interval.
    known_start
        First interval whose known covariates are read.
    """

    start: int
    first_origin: int
    last_origin: int
    end: int
    known_start: int

    def __post_init__(self) -> None:
        if not self.start < self.first_origin <= self.last_origin < self.end:
            given = (self.start, self.first_origin, self.last_origin, self.end)
            raise DataError(
                "period: expected start < first origin <= last origin < end, got "
                + ", ".join(map(format_time, given))
            )


@dataclass(frozen=True)
class Prepared:
    """A panel that keeps to the policy.

    Attributes
    ----------
    panel
        The data as observed, NaN for missing: what forecasts are scored against.
    history
        Values with small gaps filled [S, T]: what forecasts are made from, never scored.
    past
        Past covariates, filled likewise [S, T, P].
    report
        What was found and filled.
    """

    panel: Panel
    history: FloatArray
    past: FloatArray
    report: QualityReport


def enforce(
    panel: Panel, policy: QualityPolicy, period: Period, notes: tuple[str, ...] = ()
) -> Prepared:
    """Refuse what the policy does not allow within the period, and fill what it does.

    Parameters
    ----------
    panel
        The data.
    policy
        What is refused, taken for missing or filled.
    period
        What of the panel is used.
    notes
        What was done to the rows when they were read, for the report.

    Raises
    ------
    DataError
        If the data do not cover the period, a series is constant before the first origin, a gap is
        too long, a known covariate is missing, or the policy refuses what was found.
    """
    _check_covered(panel, period)
    panel, taken = _possible(panel, policy, period)
    _check_alive(panel, period)
    report = inspect(panel, policy, start=period.start, end=period.end, notes=(*notes, *taken))
    _check_report(report, policy)
    _check_known(panel, period)
    if panel.start - period.start >= panel.step_s:
        raise DataError(
            f"expected values from {format_time(period.start)}, got the first at"
            f" {format_time(panel.start)}"
        )
    _check_gaps(panel, panel.values, "", policy, period)
    for i, name in enumerate(panel.past_names):
        _check_gaps(panel, panel.past[:, :, i], f"past covariate {name} of ", policy, period)
    return _prepared(panel, policy, period, report)


def _columns(panel: Panel, start: int, end: int) -> slice:
    """Return the columns of the intervals that start in [start, end)."""
    left = -(-(start - panel.start) // panel.step_s)
    right = -(-(end - panel.start) // panel.step_s)
    return slice(max(left, 0), max(right, 0))


def _time(panel: Panel, column: int) -> str:
    return format_time(panel.start + int(column) * panel.step_s)


def _check_covered(panel: Panel, period: Period) -> None:
    """Check that every series has values before the first and after the last origin."""
    for name, row in zip(panel.series_ids, panel.values, strict=True):
        present = np.flatnonzero(~np.isnan(row))
        if not len(present):
            raise DataError(f"{name}: expected values, all are missing")
        first, last = (panel.start + int(at) * panel.step_s for at in (present[0], present[-1]))
        if period.first_origin <= first or period.last_origin > last:
            raise DataError(
                f"{name}: expected data around every origin from"
                f" {format_time(period.first_origin)} to {format_time(period.last_origin)}, got"
                f" data from {format_time(first)} to {format_time(last)}"
            )


def _possible(panel: Panel, policy: QualityPolicy, period: Period) -> tuple[Panel, tuple[str, ...]]:
    """Refuse impossible values, or take them for missing and say so."""
    wrong = impossible(panel.values, policy)
    inside = _columns(panel, period.start, period.end)
    notes = []
    for name, row, values in zip(panel.series_ids, wrong, panel.values, strict=True):
        found = np.flatnonzero(row[inside]) + inside.start
        if not len(found):
            continue
        said = f"{values[found[0]]:g} at {_time(panel, found[0])}"
        if policy.outside == "refuse":
            limits = f"{_limit(policy.minimum)} to {_limit(policy.maximum)}"
            raise DataError(
                f"{name}: expected values from {limits}, got {said} ({len(found)} such values);"
                " the policy is outside: refuse"
            )
        notes.append(f"{name}: {len(found)} impossible values taken for missing, first {said}")
    return replace(panel, values=np.where(wrong, np.nan, panel.values)), tuple(notes)


def _limit(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"


def _check_alive(panel: Panel, period: Period) -> None:
    """Check that there is something to learn before the first origin."""
    training = panel.values[:, _columns(panel, period.start, period.first_origin)]
    for name, row in zip(panel.series_ids, training, strict=True):
        values = row[~np.isnan(row)]
        span = f"from {format_time(period.start)} to {format_time(period.first_origin)}"
        if not len(values):
            raise DataError(f"{name}: expected values {span}, all are missing")
        if values.min() == values.max():
            raise DataError(
                f"{name}: expected values that vary {span}, got {values[0]:g} throughout"
            )


def _check_report(report: QualityReport, policy: QualityPolicy) -> None:
    """Refuse what the policy only tolerates when it says so."""
    for one in report.series:
        if one.flat_steps and policy.stuck == "refuse":
            raise DataError(
                f"{one.series_id}: expected no value that stands still for"
                f" {format_duration(policy.flatline)}, got one for {one.flat_steps} steps"
                f" from {format_time(one.flat_start)}; the policy is stuck: refuse"
            )
        if one.jumps and policy.jumps == "refuse":
            jump = one.jumps[0]
            raise DataError(
                f"{one.series_id}: expected one unit throughout, got a level that changes by the"
                f" factor {jump.factor:.3g} at {format_time(jump.start)}; the policy is"
                " jumps: refuse"
            )


def _check_known(panel: Panel, period: Period) -> None:
    """Check that known covariates are there at every interval that a model reads.

    Of those with vintages each origin sees its own: they are checked where windows are cut.
    """
    plain = [k for k, name in enumerate(panel.known_names) if name not in panel.vintages]
    inside = _columns(panel, period.known_start, period.end)
    last = period.end - panel.step_s
    wanted = f"{format_time(period.known_start)} to {format_time(last)}"
    for i, k in product(range(len(panel.series_ids)), plain):
        what = f"known covariate {panel.known_names[k]} of {panel.series_ids[i]}"
        missing = np.isnan(panel.known[i, inside, k])
        there = np.flatnonzero(~missing)
        if not len(there):
            raise DataError(f"{what}: expected values from {wanted}, got none")
        if missing[: there[-1]].any():
            at = _time(panel, inside.start + int(missing.argmax()))
            raise DataError(f"{what} is missing at {at}; it is needed from {wanted}")
        if inside.start + there[-1] + 1 < inside.stop:
            raise DataError(
                f"{what} ends before the horizon: known until"
                f" {_time(panel, inside.start + int(there[-1]))}, needed until {format_time(last)}"
                f" for the last origin {format_time(period.last_origin)}"
            )
    if plain and period.known_start < panel.start:
        raise DataError(
            f"known covariates {', '.join(panel.known_names)}: expected them from {wanted}, got"
            f" {format_time(panel.start)} to {_time(panel, panel.length - 1)}"
        )


def _check_gaps(
    panel: Panel, values: FloatArray, what: str, policy: QualityPolicy, period: Period
) -> None:
    """Refuse gaps in what a model reads [S, T] that are longer than the policy allows."""
    longest = _max_gap(panel, policy)
    inside = _columns(panel, period.start, period.last_origin)
    for name, row in zip(panel.series_ids, values, strict=True):
        gaps = runs(np.isnan(row))
        ends = gaps.starts + gaps.lengths
        seen = (gaps.starts < inside.stop) & (ends > inside.start)
        for at, length in zip(gaps.starts[seen], gaps.lengths[seen], strict=True):
            if at == 0:
                raise DataError(
                    f"{what}{name}: expected values from {format_time(period.start)}, got the"
                    f" first at {_time(panel, length)}"
                )
            if length > longest:
                span = format_duration(timedelta(seconds=int(length) * panel.step_s))
                raise DataError(
                    f"{what}{name}: gap of {length} steps ({span}) from {_time(panel, at)}; the"
                    f" policy is fill: {policy.fill}, max_gap: {format_duration(policy.max_gap)}"
                )


def _max_gap(panel: Panel, policy: QualityPolicy) -> int:
    """Return the longest gap that is filled [steps]."""
    if policy.fill == "none":
        return 0
    return int(policy.max_gap.total_seconds()) // panel.step_s


def _prepared(
    panel: Panel, policy: QualityPolicy, period: Period, report: QualityReport
) -> Prepared:
    """Fill the history of forecasts, and report how much of it."""
    origin = _columns(panel, period.start, period.first_origin).stop
    longest = _max_gap(panel, policy)
    history = fill_history(panel.values, policy.fill, longest, origin)
    past = panel.past.copy()
    notes = list(report.notes)
    inside = _columns(panel, period.start, period.end)
    for i, name in enumerate(panel.past_names):
        past[:, :, i] = fill_history(panel.past[:, :, i], policy.fill, longest, origin)
        count = _count_filled(panel.past[:, inside, i], past[:, inside, i]).sum()
        if count:
            notes.append(f"past covariate {name}: {count} missing values filled")
    counts = _count_filled(panel.values[:, inside], history[:, inside])
    series = tuple(
        replace(one, filled=int(count)) for one, count in zip(report.series, counts, strict=True)
    )
    return Prepared(panel, history, past, replace(report, series=series, notes=tuple(notes)))


def _count_filled(raw: FloatArray, filled: FloatArray) -> IntArray:
    """Count for each series what is missing in one and present in the other [S]."""
    count: IntArray = (np.isnan(raw) & ~np.isnan(filled)).sum(axis=1)
    return count
