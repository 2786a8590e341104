"""From rows in long form to a panel, one step after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from frugal_ai.data.covariates import Track, series_index, vintages
from frugal_ai.data.gaps import bridge
from frugal_ai.data.panel import FloatArray, IntArray, Panel, format_time
from frugal_ai.data.parse import MISSING, Dst, with_instants, with_numbers
from frugal_ai.data.rows import (
    AVAILABLE,
    SERIES,
    TIME,
    VALUE,
    by_vintage,
    distinct,
    in_order,
    one_each,
    pick_period,
    pick_series,
    with_series,
)
from frugal_ai.data.source import Request, listed
from frugal_ai.data.table import Table, from_frame
from frugal_ai.data.vintages import Interpolate, Vintages, shared
from frugal_ai.errors import DataError
from frugal_ai.settings import format_duration


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a table writes what it holds.

    Attributes
    ----------
    timezone, dst
        Zone of its local times, and what is done with those that name no instant, or two.
    missing
        Text that stands for a missing number.
    series_id
        Name of its one series when it has no such column.
    """

    timezone: str | None = None
    dst: Dst = "refuse"
    missing: tuple[str, ...] = MISSING
    series_id: str | None = None


@dataclass(frozen=True)
class Joined:
    """Covariates by name that are brought onto the grid: from other tables, or with vintages."""

    tracks: Mapping[str, Track] = field(default_factory=dict)
    how: Mapping[str, Interpolate] = field(default_factory=dict)
    vintages: Mapping[str, tuple[Vintages, ...]] = field(default_factory=dict)

    def __or__(self, other: "Joined") -> "Joined":
        return Joined(
            {**self.tracks, **other.tracks},
            {**self.how, **other.how},
            {**self.vintages, **other.vintages},
        )


def panel_from_frame(frame: Any, request: Request, dialect: Dialect | None = None) -> Panel:
    """Bring a Polars or pandas frame in long form onto the grid.

    Parameters
    ----------
    frame
        Columns ``series_id``, ``timestamp``, ``value`` and covariates; with a column
        ``available_at``, known covariates have vintages.
    request
        What is wanted of it.
    dialect
        How it writes times and numbers.

    Raises
    ------
    DataError
        If the frame breaks the policy of the request or lacks what is asked for.
    """
    names = covariate_names(request)
    rows, series = long_form(
        from_frame(frame),
        [VALUE, *names],
        request.series,
        request,
        dialect or Dialect(),
        (request.since, request.until),
    )
    rows, joined = observed(rows, series, request, Joined())
    return to_panel(rows, series, request, joined)


def observed(
    rows: Table, series: tuple[str, ...], request: Request, joined: Joined
) -> tuple[Table, Joined]:
    """Tell what was observed from what was forecast, where rows have vintages.

    Parameters
    ----------
    rows, series
        What `long_form` returns.
    request
        What is wanted.
    joined
        Covariates of other tables.

    Returns
    -------
    rows : Table
        One row for each series and time.
    joined : Joined
        With the vintages of the rows' known covariates.
    """
    if AVAILABLE not in rows.columns:
        return rows, joined
    elsewhere = {*joined.tracks, *joined.vintages}
    max_gap_s = int(request.policy.max_gap.total_seconds())
    found = {
        name: vintages(
            rows, name, series, series=None, reduce=None, how="linear", max_gap_s=max_gap_s
        )
        for name in request.known
        if name not in elsewhere
    }
    others = [VALUE, *request.past, *request.static]
    kept = [name for name in dict.fromkeys(others) if name in rows.columns]
    return one_each(rows, kept), joined | Joined(vintages=found)


def covariate_names(request: Request) -> list[str]:
    """List the covariates that are wanted, each once."""
    return list(dict.fromkeys([*request.known, *request.past, *request.static]))


def long_form(
    table: Table,
    columns: list[str],
    series: tuple[str, ...],
    request: Request,
    dialect: Dialect,
    period: tuple[int | None, int | None] = (None, None),
) -> tuple[Table, tuple[str, ...]]:
    """Check rows and bring them into one form.

    Parameters
    ----------
    table
        As delivered.
    columns
        Columns of numbers that are wanted.
    series
        Series wanted; empty for all.
    request
        Its policy and its listener.
    dialect
        How the table writes times and numbers.
    period
        First instant [unix s] that is looked at, and the first that is not.

    Returns
    -------
    rows : Table
        Series as text, times in Unix seconds, numbers in float64; in order and distinct. With a
        column ``available_at`` there is one row for each vintage.
    series : tuple[str, ...]
        Series that were taken.
    """
    table.need([TIME, *columns])
    table, taken = pick_series(with_series(table, dialect.series_id), series)
    table = with_numbers(table, columns, dialect.missing)
    vintaged = AVAILABLE in table.columns
    if vintaged:  # it may stand in any number of rows, so that the order of two tells nothing
        dst: Dst = "drop" if dialect.dst == "drop" else "refuse"
        table = with_instants(
            table, AVAILABLE, timezone=dialect.timezone, dst=dst, tell=request.tell, group=()
        )
    table = with_instants(
        table,
        TIME,
        timezone=dialect.timezone,
        dst=dialect.dst,
        tell=request.tell,
        group=(SERIES, AVAILABLE) if vintaged else (SERIES,),
    )
    table = pick_period(table, *period)
    table = by_vintage(table) if vintaged else in_order(table, request.policy, request.tell)
    return distinct(table, request.policy, request.tell), taken


def to_panel(rows: Table, series: tuple[str, ...], request: Request, joined: Joined) -> Panel:
    """Lay rows that are in order and distinct, and covariates of other tables, on one grid.

    Raises
    ------
    DataError
        If a time is off the grid, a series has no value or a covariate is not there.
    """
    check_step(rows, request.step_s)
    start, steps = _extent(rows, request, joined)
    times = start + request.step_s * np.arange(steps, dtype=np.int64)
    place = (
        series_index(rows.frame, list(series)),
        (rows.frame[TIME].to_numpy() - start) // request.step_s,
    )
    values = _scatter(rows, VALUE, place, (len(series), steps))
    _check_observed(rows, series, values)
    joined = replace(joined, vintages=_in_use(joined.vintages, times, request))
    known = [_known(rows, name, place, values.shape, times, request, joined)
             for name in request.known]  # fmt: skip
    past = [_past(rows, name, place, values.shape, times, request, joined)
            for name in request.past]  # fmt: skip
    return Panel(
        series_ids=series,
        start=start,
        step_s=request.step_s,
        values=values,
        known_names=request.known,
        known=_stacked(known, values.shape),
        past_names=request.past,
        past=_stacked(past, values.shape),
        static_names=request.static,
        static=_static(rows, request.static, series),
        simulated=False,
        vintages=joined.vintages,
    )


def _in_use(
    given: Mapping[str, tuple[Vintages, ...]], times: IntArray, request: Request
) -> dict[str, tuple[Vintages, ...]]:
    """Keep the vintages for the instants of the grid, and let them share what is alike."""
    for name in request.past:
        if name in given:
            raise DataError(
                f"past covariate {name}: expected a table without {AVAILABLE}; only known"
                " covariates have vintages"
            )
    cut = {name: [one.within(int(times[0]), int(times[-1])) for one in given[name]]
           for name in request.known if name in given}  # fmt: skip
    for name, each in cut.items():
        if not all(len(one.index) for one in each):
            raise DataError(
                f"known covariate {name}: expected values from {format_time(times[0])} to"
                f" {format_time(times[-1])}, got none"
            )
    pool = iter(shared([one for each in cut.values() for one in each]))
    return {name: tuple(next(pool) for _ in each) for name, each in cut.items()}


def check_step(rows: Table, step_s: int) -> None:
    """Check that rows lie on one grid of the declared step.

    Raises
    ------
    DataError
        With the first row that does not, and the most frequent step that was found.
    """
    steps = rows.frame.select(step=pl.col(TIME).diff().over(SERIES)).drop_nulls()
    found = int(steps["step"].mode().min()) if steps.height else step_s  # type: ignore[arg-type] # a number here
    phase = rows.frame[TIME] % step_s
    off = rows.frame.filter(phase != phase.mode().min())
    if off.is_empty() and found != step_s:
        off = rows.frame.filter(pl.col(TIME).diff().over(SERIES) != step_s)
    if not off.is_empty():
        raise DataError(
            f"{rows.at(off)}: {off.item(0, SERIES)}: expected one row every {_span(step_s)}, got"
            f" {format_time(off.item(0, TIME))}; the most frequent step there is {_span(found)}"
        )


def _span(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))


def _extent(rows: Table, request: Request, joined: Joined) -> tuple[int, int]:
    """Return the first instant of the grid and its length; it goes on with known covariates."""
    first, last = int(rows.frame[TIME].min()), int(rows.frame[TIME].max())  # type: ignore[arg-type] # numbers here
    ends = [joined.tracks[name].end() for name in request.known if name in joined.tracks]
    ends += [one.end() for name in request.known for one in joined.vintages.get(name, ())]
    last = max([last, *(end for end in ends if end is not None)])
    if request.until is not None:
        last = min(last, request.until - 1)
    return first, (last - first) // request.step_s + 1


def _scatter(
    rows: Table, name: str, place: tuple[IntArray, IntArray], shape: tuple[int, ...]
) -> FloatArray:
    out = np.full(shape, np.nan)
    out[place] = rows.frame[name].to_numpy()
    return out


def _check_observed(rows: Table, series: tuple[str, ...], values: FloatArray) -> None:
    for name, row in zip(series, values, strict=True):
        if np.isnan(row).all():
            raise DataError(f"{rows.where}: {name}: expected values, all are missing")


def _known(
    rows: Table,
    name: str,
    place: tuple[IntArray, IntArray],
    shape: tuple[int, ...],
    times: IntArray,
    request: Request,
    joined: Joined,
) -> FloatArray:
    """Return a known covariate [S, T] in which small holes are bridged; of vintages the first."""
    if name in joined.vintages:
        first = np.stack([one.earliest(times) for one in joined.vintages[name]])
        return np.broadcast_to(first, shape)
    max_gap_s = int(request.policy.max_gap.total_seconds())
    if name in joined.tracks:
        read = joined.tracks[name].at(times, joined.how[name], max_gap_s)
        return np.broadcast_to(read, shape)
    given = _scatter(rows, name, place, shape)
    bridged = np.stack([bridge(row, max_gap_s // request.step_s) for row in given])
    count = int(np.isnan(given).sum() - np.isnan(bridged).sum())
    if count:
        request.tell(f"{rows.where}: {name}: {count} missing values interpolated")
    return bridged


def _past(
    rows: Table,
    name: str,
    place: tuple[IntArray, IntArray],
    shape: tuple[int, ...],
    times: IntArray,
    request: Request,
    joined: Joined,
) -> FloatArray:
    """Return a past covariate [S, T] as it was observed: nothing between two values is known."""
    if name not in joined.tracks:
        return _scatter(rows, name, place, shape)
    found = joined.tracks[name]
    if found.native_s > request.step_s:
        raise DataError(
            f"past covariate {name}: expected a step of at most {_span(request.step_s)}, got"
            f" {_span(found.native_s)}: its last value would not yet be known at every origin"
        )
    return np.broadcast_to(found.at(times, "none", 0), shape)


def _stacked(columns: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    return np.stack(columns, axis=-1) if columns else np.empty((*shape, 0))


def _static(rows: Table, names: tuple[str, ...], series: tuple[str, ...]) -> FloatArray:
    """Return the one value of each property of each series [S, J]."""
    out = np.empty((len(series), len(names)))
    for i, one in enumerate(series if names else ()):
        own = rows.frame.filter(pl.col(SERIES) == one)
        for j, name in enumerate(names):
            found = own[name].drop_nans().unique()
            if len(found) != 1:
                raise DataError(
                    f"{rows.where}: static covariate {name} of {one}: expected one value, got"
                    f" {listed(found.head(3)) if len(found) else 'none'}"
                )
            out[i, j] = found[0]
    return out
