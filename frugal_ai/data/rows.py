"""Rows in long form: one of a series at an instant, in order, and no two of the same."""

from collections.abc import Callable

import numpy as np
import polars as pl

from frugal_ai.data.panel import IntArray, format_time
from frugal_ai.data.policy import QualityPolicy
from frugal_ai.data.source import listed
from frugal_ai.data.table import ROW, Table
from frugal_ai.errors import DataError

SERIES, TIME, VALUE, AVAILABLE = "series_id", "timestamp", "value", "available_at"
_KEY = [SERIES, TIME]

Tell = Callable[[str], None]


def with_series(table: Table, constant: str | None) -> Table:
    """Turn the series column into text, or add it where there is none.

    Raises
    ------
    DataError
        If there is no such column and no constant, or a row names no series.
    """
    if SERIES not in table.columns:
        if constant is None:
            raise DataError(
                f"{table.where}: expected a column {SERIES!r}, got {listed(table.columns, 30)};"
                " for a file of one series declare its name as series_id"
            )
        return table.with_frame(table.frame.with_columns(pl.lit(constant).alias(SERIES)))
    names = table.frame[SERIES].cast(pl.String)
    if names.has_nulls():
        nameless = table.frame.filter(names.is_null())
        raise DataError(f"{table.at(nameless)}: {SERIES}: expected a name, got none")
    return table.with_frame(table.frame.with_columns(names))


def pick_series(table: Table, wanted: tuple[str, ...]) -> tuple[Table, tuple[str, ...]]:
    """Keep the rows of the series that are wanted, or of all when none is named.

    Raises
    ------
    DataError
        If one of them is not there.
    """
    there = table.frame[SERIES].unique(maintain_order=True).to_list()
    for name in wanted:
        if name not in there:
            raise DataError(f"{table.where}: no series {name!r}; there are {listed(there)}")
    if not wanted:
        return table, tuple(there)
    rows = table.frame.filter(pl.col(SERIES).is_in(list(wanted)))
    return table.with_frame(rows), wanted


def pick_period(table: Table, since: int | None, until: int | None) -> Table:
    """Keep the rows from `since` on and before `until` [unix s].

    Raises
    ------
    DataError
        If none is left.
    """
    times = table.frame[TIME]
    keep = times.is_between(
        since if since is not None else times.min(),
        until - 1 if until is not None else times.max(),
    )
    if not keep.any():
        first, last = format_time(times.min()), format_time(times.max())  # type: ignore[arg-type]
        limits = [format_time(t) if t is not None else "…" for t in (since, until)]
        raise DataError(
            f"{table.where}: no rows from {limits[0]} to {limits[1]};"
            f" they lie from {first} to {last}"
        )
    return table.with_frame(table.frame.filter(keep))


def in_order(table: Table, policy: QualityPolicy, tell: Tell) -> Table:
    """Sort rows by series and time, in so far as the policy allows.

    Raises
    ------
    DataError
        If the rows of a series are not in the order of time and the policy refuses that.
    """
    backwards = table.frame.filter(pl.col(TIME).diff().over(SERIES) < 0)
    if backwards.is_empty():
        return table.with_frame(table.frame.sort(_KEY, maintain_order=True))
    first = f"{table.at(backwards)}: {backwards.item(0, SERIES)}"
    time = format_time(backwards.item(0, TIME))
    if policy.unsorted == "refuse":
        raise DataError(
            f"{first}: expected rows in the order of time, got {time} after a later one;"
            " the policy is unsorted: refuse"
        )
    tell(
        f"{table.where}: rows sorted, {backwards.height} stood after a later one,"
        f" the first at {table.unit} {backwards.item(0, ROW)}: {time}"
    )
    return table.with_frame(table.frame.sort(_KEY, maintain_order=True))


def by_vintage(table: Table) -> Table:
    """Sort rows by series, time and vintage; archives of forecasts have them in any order."""
    return table.with_frame(table.frame.sort([*_KEY, AVAILABLE], maintain_order=True))


def distinct(table: Table, policy: QualityPolicy, tell: Tell) -> Table:
    """Leave one row for each series, time and vintage, as the policy says; rows are in order.

    Raises
    ------
    DataError
        If there are several and the policy refuses that.
    """
    key = [*_KEY, AVAILABLE] if AVAILABLE in table.columns else _KEY
    again = table.frame.filter(
        pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in key)
    )
    if again.is_empty():
        return table
    series, time = again.item(0, SERIES), format_time(again.item(0, TIME))
    if AVAILABLE in key:
        time = f"{time} available at {format_time(again.item(0, AVAILABLE))}"
    if policy.duplicates == "refuse":
        raise DataError(
            f"{table.at(again)}: {series}: expected one row at {time}, got another"
            f" ({again.height} such rows); the policy is duplicates: refuse"
        )
    tell(
        f"{table.where}: {again.height} duplicate rows, the {policy.duplicates} is taken,"
        f" the first: {series} at {time}"
    )
    groups = table.frame.group_by(key, maintain_order=True)
    if policy.duplicates == "first":
        return table.with_frame(groups.first())
    numbers = pl.selectors.float().fill_nan(None).mean().fill_null(float("nan"))
    return table.with_frame(groups.agg(numbers, pl.exclude(*key).exclude(pl.Float64).first()))


def one_each(table: Table, columns: list[str]) -> Table:
    """Leave one row for each series and time of rows that are in the order of their vintages.

    Parameters
    ----------
    table
        The rows.
    columns
        Columns that are no forecasts: all vintages of a time agree on them, or have none.

    Raises
    ------
    DataError
        If two vintages do not agree.
    """
    for name in columns:
        given = pl.col(name).fill_nan(None)
        differs = given != given.drop_nulls().first().over(_KEY)
        wrong = table.frame.filter(differs)
        if not wrong.is_empty():
            raise DataError(
                f"{table.at(wrong)}: {wrong.item(0, SERIES)}: expected one {name} at"
                f" {format_time(wrong.item(0, TIME))} in all its vintages, got another,"
                f" {wrong.item(0, name):g}"
            )
    first = [pl.col(name).drop_nans().first().fill_null(float("nan")) for name in columns]
    rows = table.frame.group_by(_KEY, maintain_order=True).agg(pl.col(ROW).first(), *first)
    return table.with_frame(rows)


def most_frequent_step(times: IntArray) -> int:
    """Return the most frequent distance of ascending instants [s]; 0 for a single one."""
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[counts.argmax()]) if len(steps) else 0
