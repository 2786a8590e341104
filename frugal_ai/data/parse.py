"""Columns as they were delivered -> numbers, and instants in UTC."""

from collections.abc import Callable, Sequence
from typing import Literal

import polars as pl

from frugal_ai.data.calendar import zone
from frugal_ai.data.table import ROW, Table
from frugal_ai.errors import DataError

Dst = Literal["refuse", "infer", "drop"]
"""Local times that the change to or from summer time makes ambiguous or impossible: refused; or
those that stand twice are taken as the earlier and the later one, in the order of the rows; or such
rows are dropped."""

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""Text that stands for a missing number."""

_INSTANT = (
    r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.0+)?)?)?"
    r" ?(Z|[+-]\d{2}(?::?\d{2})?)?$"
)


def with_numbers(table: Table, columns: list[str], missing: tuple[str, ...] = MISSING) -> Table:
    """Turn columns into float64, NaN for missing.

    Raises
    ------
    DataError
        If a value is not a finite number.
    """
    for name in columns:
        table = table.with_frame(table.frame.with_columns(_numbers(table, name, missing)))
    return table


def _numbers(table: Table, name: str, missing: tuple[str, ...]) -> pl.Series:
    given = table.frame[name]
    if given.dtype == pl.String:
        text = given.str.strip_chars()
        given = text.set(text.is_in(list(missing)), None)
    elif not (given.dtype.is_numeric() or given.dtype in (pl.Boolean, pl.Null)):
        raise DataError(f"{table.where}: {name}: expected numbers, got {given.dtype}")
    numbers = given.cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() & given.is_not_null()) | numbers.is_infinite().fill_null(value=False)
    if wrong.any():
        first = table.frame.filter(wrong)
        raise DataError(
            f"{table.at(first)}: {name}: expected a finite number, got {first.item(0, name)!r}"
        )
    return numbers.fill_null(float("nan")).alias(name)


def with_instants(
    table: Table,
    name: str,
    *,
    timezone: str | None,
    dst: Dst,
    tell: Callable[[str], None],
    group: Sequence[str],
) -> Table:
    """Turn a column of timestamps into Unix seconds (int64).

    Parameters
    ----------
    table
        The rows.
    name
        Column: instants with a time zone, local times, or either as ISO 8601 text.
    timezone
        IANA zone of local times; None refuses them.
    dst
        What is done with local times that do not name one instant.
    tell
        Is told how many rows were dropped.
    group
        Columns of the series and the like, within which the order of repeated local times counts.

    Raises
    ------
    DataError
        If a timestamp is missing, cannot be read or does not name one instant.
    PipelineError
        If there is no such zone.
    """
    table = _parsed(table, name)
    given = table.frame[name]
    _refuse(table, given.is_null(), f"{name}: expected a timestamp, got none")
    if not isinstance(given.dtype, pl.Datetime):
        raise DataError(f"{table.where}: {name}: expected timestamps, got {given.dtype}")
    if given.dtype.time_zone is None:
        table = _localised(table, name, timezone, dst, tell, group)
    micros = table.frame[name].dt.epoch("us")
    _refuse(table, micros % 1_000_000 != 0, f"{name}: expected whole seconds, got a fraction")
    return table.with_frame(table.frame.with_columns((micros // 1_000_000).alias(name)))


def _refuse(table: Table, wrong: pl.Series, message: str) -> None:
    if wrong.any():
        raise DataError(f"{table.at(table.frame.filter(wrong))}: {message}")


def _parsed(table: Table, name: str) -> Table:
    """Turn dates and text into date-times, those with an offset into UTC."""
    given = table.frame[name]
    if given.dtype == pl.Date:
        return table.with_frame(table.frame.with_columns(given.cast(pl.Datetime("us"))))
    if given.dtype != pl.String:
        return table
    times, has_offset = _read_text(given)
    wrong = times.is_null() & given.is_not_null()
    if wrong.any():
        first = table.frame.filter(wrong)
        raise DataError(
            f"{table.at(first)}: {name}: expected a time such as 2024-03-31T01:30:00Z,"
            f" got {first.item(0, name)!r}"
        )
    if has_offset.any():
        naive = ~has_offset & given.is_not_null()
        _refuse(table, naive, f"{name}: expected an offset from UTC as in other rows, got none")
        times = times.dt.replace_time_zone("UTC")
    return table.with_frame(table.frame.with_columns(times.alias(name)))


def _read_text(given: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Read ISO 8601 text: time in UTC where it has an offset, else local; and where it has one."""
    part = [pl.col("t").str.strip_chars().str.extract(_INSTANT, i) for i in range(5)]
    local = pl.concat_str(
        part[1], part[2].fill_null("00:00"), part[3].fill_null("00"), separator=" "
    ).str.to_datetime("%Y-%m-%d %H:%M %S", strict=False, time_unit="us")
    digits = part[4].str.replace("Z", "+00").str.replace(":", "").str.pad_end(5, "0")
    minutes = digits.str.slice(1, 2).cast(pl.Int64) * 60 + digits.str.slice(3, 2).cast(pl.Int64)
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    offset = pl.duration(minutes=(sign * minutes).fill_null(0))
    read = given.alias("t").to_frame().select(time=local - offset, offset=part[4].is_not_null())
    return read["time"], read["offset"].fill_null(value=False)


def _localised(
    table: Table,
    name: str,
    timezone: str | None,
    dst: Dst,
    tell: Callable[[str], None],
    group: Sequence[str],
) -> Table:
    """Give local times their instant in UTC."""
    given = table.frame[name]
    if timezone is None:
        raise DataError(
            f"{table.at(table.frame)}: {name}: {given[0]} has no time zone; write times in UTC"
            " (…Z), or declare which clock it is, such as timezone: Europe/Paris"
        )
    zone(timezone)
    order = pl.int_range(pl.len()).over(*group, name)
    twice = pl.len().over(*group, name) == 2
    pick = pl.when(~twice).then(pl.lit("null")).when(order == 0).then(pl.lit("earliest"))
    choice = pick.otherwise(pl.lit("latest")) if dst == "infer" else pl.lit("null")
    local = pl.col(name).dt.replace_time_zone(timezone, ambiguous=choice, non_existent="null")
    times = table.frame.with_columns(local)
    unclear = times[name].is_null()
    if unclear.any() and dst != "drop":
        raise DataError(_unclear(table, table.frame.filter(unclear), name, timezone, dst))
    if unclear.any():
        first = table.frame.filter(unclear)
        tell(
            f"{table.where}: {first.height} rows dropped whose time does not name one instant in"
            f" {timezone}, the first at {table.unit} {first.item(0, ROW)}: {first.item(0, name)}"
        )
    return table.with_frame(times.filter(~unclear))


def _unclear(table: Table, rows: pl.DataFrame, name: str, timezone: str, dst: Dst) -> str:
    """Say why a local time names no instant, or two."""
    gap = rows[name].dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    if gap[0] is None:
        what, hint = "does not exist", "write times in UTC, or declare dst: drop"
    elif dst == "infer":
        what, hint = "stands for two instants", "expected it twice, in the order of time"
    else:
        what, hint = "stands for two instants", "write times in UTC, or declare dst: infer or drop"
    return f"{table.at(rows)}: {name}: {rows.item(0, name)} {what} in {timezone}; {hint}"
