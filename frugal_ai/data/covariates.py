"""Covariates of a table of their own, brought onto the grid of the series."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from frugal_ai.data.panel import FloatArray, IntArray
from frugal_ai.data.rows import AVAILABLE, SERIES, TIME, most_frequent_step
from frugal_ai.data.source import listed
from frugal_ai.data.table import Table
from frugal_ai.data.vintages import Interpolate, VintageIndex, Vintages
from frugal_ai.errors import DataError

Reduce = Literal["mean", "min", "max", "sum"]


@dataclass(frozen=True)
class Track:
    """A covariate on instants of its own.

    Attributes
    ----------
    times
        Ascending instants [unix s], [N].
    values
        One row for all series or one for each, [1 or S, N]; NaN for missing.
    native_s
        Most frequent distance of the instants [s].
    """

    times: IntArray
    values: FloatArray
    native_s: int

    def end(self) -> int | None:
        """Return the last instant at which there is a value [unix s]."""
        present = np.flatnonzero(~np.isnan(self.values).all(axis=0))
        return int(self.times[present[-1]]) if len(present) else None

    def at(self, wanted: IntArray, how: Interpolate, max_gap_s: int) -> FloatArray:
        """Read the covariate at other instants; never before its first or after its last one.

        Parameters
        ----------
        wanted
            Instants [unix s], [T].
        how
            Between two values: the straight line, the previous value, or nothing.
        max_gap_s
            How much may be missing between two values [s].

        Returns
        -------
        FloatArray
            Values [1 or S, T]; NaN where there is none.
        """
        reach = self.native_s + max_gap_s
        rows = [_read(self.times, row, wanted, how, reach) for row in self.values]
        return np.stack(rows)


def _read(
    times: IntArray, values: FloatArray, wanted: IntArray, how: Interpolate, reach: int
) -> FloatArray:
    """Read one row [N] at the wanted instants [T]."""
    present = ~np.isnan(values)
    times, values = times[present], values[present]
    out = np.full(len(wanted), np.nan)
    if not len(times):
        return out
    left = np.searchsorted(times, wanted, side="right") - 1  # [T], -1 before the first value
    right = np.searchsorted(times, wanted, side="left")  # [T], N after the last one
    inside = (left >= 0) & (right < len(times))
    left, right, at = left[inside], right[inside], wanted[inside]
    found = np.interp(at, times, values) if how == "linear" else values[left]
    near = left == right if how == "none" else times[right] - times[left] <= reach
    out[inside] = np.where(near, found, np.nan)
    return out


def track(
    table: Table,
    column: str,
    series_ids: tuple[str, ...],
    *,
    series: str | None,
    reduce: Reduce | None,
) -> Track:
    """Take one covariate out of a table in long form.

    Parameters
    ----------
    table
        Rows in order and distinct; `column` holds numbers.
    column
        Which one.
    series_ids
        Series that the covariate is for.
    series
        The one series of the table that stands for all, or None.
    reduce
        How the series of the table are put together to one, or None to take for each series its
        own.

    Raises
    ------
    DataError
        If the table does not hold the series.
    """
    wanted = _wanted(table, column, series_ids, series, reduce)
    rows = table.frame.filter(pl.col(SERIES).is_in(wanted))
    times, values = spread(rows, column, wanted)
    if reduce is not None:
        values = _REDUCE[reduce](values)
    return Track(times=times, values=values, native_s=most_frequent_step(times))


def _wanted(
    table: Table,
    column: str,
    series_ids: tuple[str, ...],
    series: str | None,
    reduce: Reduce | None,
) -> list[str]:
    """List the series of the table that a covariate is made of."""
    there = table.frame[SERIES].unique(maintain_order=True).to_list()
    if series is not None:
        wanted = [series]
    elif reduce is not None or (len(there) == 1 and there[0] not in series_ids):
        wanted = there
    else:
        wanted = list(series_ids)
    for name in wanted:
        if name not in there:
            raise DataError(
                f"{table.where}: {column}: no series {name!r}; there are {listed(there)}; declare"
                " which one stands for all (series) or how they are put together (reduce)"
            )
    return wanted


def vintages(
    table: Table,
    column: str,
    series_ids: tuple[str, ...],
    *,
    series: str | None,
    reduce: Reduce | None,
    how: Interpolate,
    max_gap_s: int,
) -> tuple[Vintages, ...]:
    """Take the vintages of one covariate out of a table in long form.

    Series are put together as they were known: where they became known at different times, each
    counts with its newest vintage.

    Parameters
    ----------
    table
        Rows in the order of series, time and vintage, and distinct; `column` holds numbers.
    column, series_ids, series, reduce
        As for `track`.
    how, max_gap_s
        As for `Track.at`.

    Returns
    -------
    tuple[Vintages, ...]
        One for all series or one for each. Rows without a value say nothing and are left out.

    Raises
    ------
    DataError
        If the table does not hold the series, or no value of one.
    """
    wanted = _wanted(table, column, series_ids, series, reduce)
    found = []
    for names in [wanted] if reduce is not None else [[name] for name in wanted]:
        rows = table.frame.filter(pl.col(SERIES).is_in(names) & pl.col(column).is_not_nan())
        times, available_at, values = _newest_of_each(rows, column, names)
        row = values[0] if reduce is None else _REDUCE[reduce](values)[0]
        told = ~np.isnan(row)
        if not told.any():
            raise DataError(f"{table.where}: {column}: no value of {listed(names)}")
        times, available_at = times[told], available_at[told]
        index = VintageIndex.of(times, available_at)
        reach_s = most_frequent_step(index.instants) + max_gap_s
        found.append(Vintages(index, row[told], how, reach_s))
    return tuple(found)


def _newest_of_each(
    rows: pl.DataFrame, column: str, names: list[str]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return times and availabilities [M], and the newest vintage of each series then [C, M]."""
    keys = rows.select(TIME, AVAILABLE).unique().sort(TIME, AVAILABLE)
    at = rows.join(keys.with_row_index("at"), on=[TIME, AVAILABLE], maintain_order="left")["at"]
    times, available_at = (keys[name].to_numpy() for name in (TIME, AVAILABLE))
    newest = np.full((len(names), len(times)), -1, dtype=np.int64)  # rows, forward filled
    newest[series_index(rows, names), at.to_numpy()] = np.arange(rows.height)
    place = np.where(newest >= 0, np.arange(len(times)), -1)
    place = np.maximum.accumulate(place, axis=1)
    _, first, groups = np.unique(times, return_index=True, return_inverse=True)
    inside = place >= first[groups]  # a vintage of the same time
    source = np.take_along_axis(newest, np.maximum(place, 0), axis=1)
    values = np.where(inside, rows[column].to_numpy()[source], np.nan)
    return times, available_at, values


def spread(rows: pl.DataFrame, column: str, series: list[str]) -> tuple[IntArray, FloatArray]:
    """Spread a column of rows in long form to its instants [N] and values [S, N]."""
    times = rows[TIME].unique().sort().to_numpy()
    values = np.full((len(series), len(times)), np.nan)
    at = np.searchsorted(times, rows[TIME].to_numpy())
    values[series_index(rows, series), at] = rows[column].to_numpy()
    return times, values


def series_index(rows: pl.DataFrame, series: list[str]) -> IntArray:
    """Return the position of each row's series in a list [N]."""
    position = {name: i for i, name in enumerate(series)}
    index: IntArray = rows[SERIES].replace_strict(position, return_dtype=pl.Int64).to_numpy()
    return index


def _mean(values: FloatArray) -> FloatArray:
    count = (~np.isnan(values)).sum(axis=0, keepdims=True)
    total = np.nansum(values, axis=0, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _sum(values: FloatArray) -> FloatArray:
    total: FloatArray = values.sum(axis=0, keepdims=True)  # missing where one is missing
    return total


def _min(values: FloatArray) -> FloatArray:
    return np.fmin.reduce(values, axis=0, keepdims=True)


def _max(values: FloatArray) -> FloatArray:
    return np.fmax.reduce(values, axis=0, keepdims=True)


_REDUCE = {"mean": _mean, "sum": _sum, "min": _min, "max": _max}
