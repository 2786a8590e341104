"""Parquet or CSV files in long form: series_id, timestamp, value and covariates."""

from collections import Counter
from collections.abc import Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from frugal_ai.data.covariates import Reduce, track, vintages
from frugal_ai.data.frame import Dialect, Joined, covariate_names, long_form, observed, to_panel
from frugal_ai.data.panel import Panel
from frugal_ai.data.parse import MISSING, Dst
from frugal_ai.data.rows import AVAILABLE, SERIES, TIME, VALUE
from frugal_ai.data.source import MAIN, Request, listed
from frugal_ai.data.sources import make_table
from frugal_ai.data.table import Format, Table, read_table
from frugal_ai.data.vintages import Interpolate, Vintages
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.settings import Settings


class File(Settings):
    """A file and how it is written.

    Attributes
    ----------
    path
        Relative to the folder of the pipeline.
    format
        ``csv`` or ``parquet``; by default what the file's name says.
    separator
        Between the fields of a CSV.
    missing
        Text of a CSV that stands for a missing number.
    timezone
        Zone of times without one, such as ``Europe/Paris``; by default they are refused.
    dst
        What is done with local times that the clock change makes ambiguous or impossible.
    """

    path: Path
    format: Format | None = None
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    missing: tuple[str, ...] = MISSING
    timezone: str | None = None
    dst: Dst = "refuse"

    def read(self, base: Path, replacement: Path | None) -> Table:
        """Read the file of a pipeline in the folder `base`, or the one in its place."""
        if replacement is not None:
            return read_table(replacement, None, self.separator)
        return read_table(base / self.path, self.format, self.separator)

    def absent(self, request: Request) -> str | None:  # noqa: ARG002 - for sources that fetch
        """Say what has to be fetched first, and by which command; None if nothing has."""
        return None

    def dialect(self, series_id: str | None) -> Dialect:
        """Return how the file writes times and numbers."""
        return Dialect(
            timezone=self.timezone, dst=self.dst, missing=self.missing, series_id=series_id
        )


def renamed(table: Table, columns: Mapping[str, str]) -> Table:
    """Give columns the names that they have here; by the new name, the one in the file."""
    table.need(list(columns.values()))
    return table.with_frame(
        table.frame.with_columns(**{new: pl.col(old) for new, old in columns.items()})
    )


class CovariateColumn(Settings):
    """Where a covariate comes from.

    Attributes
    ----------
    column
        Column of the table.
    series
        The one series of the table that stands for all.
    reduce
        How the series of the table are put together to one.
    """

    column: str
    series: str | None = None
    reduce: Reduce | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.series is not None and self.reduce is not None:
            raise ValueError("expected series or reduce, got both")
        return self


class CovariateTable(File):
    """A file of covariates, which may have series and a step of its own.

    Attributes
    ----------
    name
        By which the command line can replace the file.
    timestamp_column, series_column
        Names of these columns in the file; without a series column the rows hold for all series.
    available_at_column
        When each row became known. Where the file has such a column, there may be several vintages
        of a time, in any order, and an origin sees the newest that was available by then.
    interpolate
        What a covariate is between two of its instants: on the straight line, the previous value,
        or missing. A past covariate is never interpolated.
    columns
        By the name of a covariate, where it comes from.
    """

    name: str
    timestamp_column: str = TIME
    series_column: str = SERIES
    available_at_column: str = AVAILABLE
    interpolate: Interpolate = "linear"
    columns: Annotated[dict[str, CovariateColumn], Field(min_length=1)]

    def joined(self, wanted: list[str], series_ids: tuple[str, ...], request: Request) -> Joined:
        """Read those covariates of the table that are wanted."""
        specs = {name: spec for name, spec in self.columns.items() if name in wanted}
        if not specs:
            return Joined()
        table = self.table(request)
        names = {TIME: self.timestamp_column}
        if self.series_column in table.columns or self.series_column != SERIES:
            names[SERIES] = self.series_column
        if self.available_at_column in table.columns or self.available_at_column != AVAILABLE:
            names[AVAILABLE] = self.available_at_column
        columns = list(dict.fromkeys(spec.column for spec in specs.values()))
        rows, _ = long_form(renamed(table, names), columns, (), request, self.dialect(series_id=""))
        if AVAILABLE in names:
            return Joined(vintages=self._vintages(specs, rows, series_ids, request))
        tracks = {
            name: track(rows, spec.column, series_ids, series=spec.series, reduce=spec.reduce)
            for name, spec in specs.items()
        }
        return Joined(tracks=tracks, how=dict.fromkeys(tracks, self.interpolate))

    def table(self, request: Request) -> Table:
        """Read the rows of the table."""
        return self.read(request.base, request.replacements.get(self.name))

    def _vintages(
        self,
        specs: Mapping[str, CovariateColumn],
        rows: Table,
        series_ids: tuple[str, ...],
        request: Request,
    ) -> dict[str, tuple[Vintages, ...]]:
        max_gap_s = int(request.policy.max_gap.total_seconds())
        return {
            name: vintages(
                rows,
                spec.column,
                series_ids,
                series=spec.series,
                reduce=spec.reduce,
                how=self.interpolate,
                max_gap_s=max_gap_s,
            )
            for name, spec in specs.items()
        }


def _of_its_source(given: Any) -> Any:
    """Take the table of another source where a table says that it comes from one."""
    if not isinstance(given, Mapping) or "source" not in given:
        return given
    try:
        return make_table(given)
    except ValidationError as error:
        raise ValueError("; ".join(map(str, map(_problem, error.errors())))) from None
    except PipelineError as error:
        raise ValueError(str(error)) from None


def _problem(found: Any) -> str:
    key = ".".join(map(str, found["loc"]))
    return f"{key}: {found['msg']}, got {found['input']!r}"


class LongForm(File):
    """A file of series, and files of covariates beside it.

    Attributes
    ----------
    columns
        By the project's name of a column (``series_id``, ``timestamp``, ``value``, a covariate),
        its name in the file. With a column ``available_at``, the known covariates of the file have
        vintages: one row for each, which repeats the value or leaves it empty.
    series_id
        Name of the series of a file that has no such column.
    covariates
        Tables of covariates; what none of them holds is a column of the main file.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    series_id: str | None = None
    covariates: tuple[Annotated[CovariateTable, BeforeValidator(_of_its_source)], ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        tables = Counter(["", MAIN, *(table.name for table in self.covariates)])
        names = Counter(name for table in self.covariates for name in table.columns)
        for what, counts in (("table", tables), ("covariate", names)):
            for name, count in counts.items():
                if count > 1:
                    raise ValueError(f"expected distinct names, got the {what} {name!r} twice")
        return self

    def load(self, request: Request) -> Panel:
        """Read the files and lay them on one grid.

        Raises
        ------
        DataError
            If a file cannot be read, breaks the policy or lacks what is asked for.
        PipelineError
            If the format of a file is not known, or a replacement names no table.
        """
        self._check_replacements(request)
        absent = [part.absent(request) for part in (self, *self.covariates)]
        if any(absent):
            raise DataError("; ".join(said for said in absent if said))
        wanted = covariate_names(request)
        elsewhere = {name for table in self.covariates for name in table.columns}
        own = [name for name in wanted if name not in elsewhere or name in request.static]
        table = renamed(self._main(request), self.columns)
        self._check_offered(table, own)
        rows, series = long_form(
            table,
            [VALUE, *own],
            request.series,
            request,
            self.dialect(self.series_id),
            (request.since, request.until),
        )
        rows, joined = observed(rows, series, request, self._joined(wanted, series, request))
        return to_panel(rows, series, request, joined)

    def _main(self, request: Request) -> Table:
        return self.read(request.base, request.main)

    def _joined(self, wanted: list[str], series: tuple[str, ...], request: Request) -> Joined:
        found = (table.joined(wanted, series, request) for table in self.covariates)
        return reduce(or_, found, Joined())

    def _check_replacements(self, request: Request) -> None:
        tables = [table.name for table in self.covariates]
        for name in request.replacements:
            if name not in ("", MAIN, *tables):
                raise PipelineError(
                    f"--data {name}=…: expected {listed([MAIN, *tables])}, got {name!r}"
                )

    def _check_offered(self, table: Table, names: list[str]) -> None:
        elsewhere = [name for tables in self.covariates for name in tables.columns]
        own = [name for name in table.columns if name not in (SERIES, TIME, VALUE, AVAILABLE)]
        for name in names:
            if name not in own:
                raise DataError(
                    f"{table.where}: no covariate {name!r}; there are"
                    f" {listed([*own, *elsewhere], 30)}"
                )


class Source(LongForm):
    """A file of series, and files of covariates beside it."""

    name: Literal["file"] = "file"
