"""CSV in long form: one series' rows, in time order, with every bad cell named."""

import csv
import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frugal_edge.clock import format_time, parse_time
from frugal_edge.errors import InputError

_KEYS = ("series_id", "timestamp")
_SHOWN_SERIES = 5


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one series.

    Attributes
    ----------
    path
        The file, for messages.
    times
        Start of each interval, rising, on one grid of steps, Unix time [R] [s].
    columns
        Values [R] by column, NaN where a cell is empty.
    """

    path: Path
    times: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]


def read_table(
    path: str | os.PathLike[str],
    series_id: str,
    step_s: int,
    required: Sequence[str],
    optional: Sequence[str] = (),
) -> Table:
    """Read the rows of one series from a CSV file.

    The file has a header with ``series_id``, ``timestamp`` (ISO 8601 with an offset or Z) and the
    columns asked for; other columns and other series are passed over. An empty cell or ``nan`` is
    a missing value.

    Parameters
    ----------
    path
        The file, UTF-8.
    series_id
        The series whose rows are read.
    step_s
        Length of an interval [s].
    required, optional
        Columns that must and that may be there.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, lacks a column or the series, or a row has a wrong
        number of cells, a time without an offset, a time not after the one before, a time off the
        grid, or a cell that is not a number.
    """
    file = Path(path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return _Reader(file, series_id, step_s).read(stream, required, optional)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: expected a CSV file in UTF-8: {error}") from error


class _Reader:
    def __init__(self, path: Path, series_id: str, step_s: int) -> None:
        self._path = path
        self._series_id = series_id
        self._step_s = step_s
        self._times = array("q")
        self._others: set[str] = set()

    def read(
        self, stream: Iterable[str], required: Sequence[str], optional: Sequence[str]
    ) -> Table:
        rows = csv.reader(stream, strict=True)
        try:
            header = next(rows, None)
            if header is None:
                raise InputError(f"{self._path}: the file is empty")
            wanted = self._wanted(header, required, optional)
            cells = {name: array("d") for name in wanted}
            numbered = ((rows.line_num, row) for row in rows)
            for line, row in self._own_rows(numbered, header):
                self._add_time(line, row[header.index("timestamp")])
                for name, column in wanted.items():
                    cells[name].append(self._number(line, name, row[column]))
        except csv.Error as error:
            raise InputError(f"{self._path}: expected a CSV file: {error}") from error
        if not self._times:
            raise InputError(f"{self._path}: no row of series {self._series_id!r}{self._instead()}")
        return Table(
            self._path,
            np.frombuffer(self._times, dtype=np.int64),
            {name: np.frombuffer(values, dtype=np.float64) for name, values in cells.items()},
        )

    def _wanted(
        self, header: list[str], required: Sequence[str], optional: Sequence[str]
    ) -> dict[str, int]:
        missing = [name for name in (*_KEYS, *required) if name not in header]
        if missing:
            raise InputError(
                f"{self._path}: line 1: expected a column {missing[0]}, got {','.join(header)}"
            )
        wanted = [*required, *(name for name in optional if name in header)]
        for name in (*_KEYS, *wanted):
            if header.count(name) > 1:
                raise InputError(f"{self._path}: line 1: column {name} is there twice")
        return {name: header.index(name) for name in wanted}

    def _own_rows(
        self, rows: Iterable[tuple[int, list[str]]], header: list[str]
    ) -> Iterator[tuple[int, list[str]]]:
        column, width = header.index("series_id"), len(header)
        for line, row in rows:
            if len(row) != width:
                if not row:
                    continue
                raise InputError(
                    f"{self._path}: line {line}: expected {width} cells, got {len(row)}"
                )
            if row[column] == self._series_id:
                yield line, row
            else:
                self._others.add(row[column])

    def _add_time(self, line: int, cell: str) -> None:
        try:
            time = parse_time(cell)
        except ValueError as error:
            raise InputError(f"{self._path}: line {line}, timestamp: {error}") from None
        if self._times:
            self._check_step(line, time, self._times[-1])
        self._times.append(time)

    def _check_step(self, line: int, time: int, before: int) -> None:
        if time <= before:
            what = "a second time" if time == before else f"after {format_time(before)}"
            raise InputError(
                f"{self._path}: line {line}: expected rows in time order, got {format_time(time)}"
                f" {what}"
            )
        if (time - before) % self._step_s:
            raise InputError(
                f"{self._path}: line {line}: expected steps of {self._step_s} s, got"
                f" {format_time(time)} after {format_time(before)}"
            )

    def _number(self, line: int, name: str, cell: str) -> float:
        if not cell:
            return float("nan")
        try:
            value = float(cell)
        except ValueError:
            value = float("inf")
        if value in (float("inf"), float("-inf")) or "_" in cell:
            raise InputError(
                f"{self._path}: line {line}, {name}: expected a finite number, got {cell!r}"
            )
        return value

    def _instead(self) -> str:
        names = sorted(self._others)
        if not names:
            return ""
        more = ", ..." if len(names) > _SHOWN_SERIES else ""
        return f"; it holds {', '.join(names[:_SHOWN_SERIES])}{more}"
