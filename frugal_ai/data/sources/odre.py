"""Load and production of France: eCO2mix by RTE, fetched with frugal-ai fetch odre."""

from pathlib import Path
from typing import Literal

import polars as pl

from frugal_ai.data.panel import format_time
from frugal_ai.data.remote.eco2mix import (
    COLUMNS,
    REGION_CODE,
    REGIONS,
    STEP_S,
    Dataset,
    is_real_time,
)
from frugal_ai.data.remote.store import Store
from frugal_ai.data.rows import SERIES, TIME, VALUE
from frugal_ai.data.source import Request, listed
from frugal_ai.data.sources._fetched import Fetched, days
from frugal_ai.data.table import Table, from_frame
from frugal_ai.errors import DataError


class Source(Fetched):
    """A folder of eCO2mix, and tables of covariates beside it.

    Series of the national dataset are ``load``, ``solar``, ``wind``, ``nuclear``, ``co2`` and so
    on; those of a region have its name behind, as in ``load_bretagne``. Every column is also a
    covariate by the same name, such as ``load_forecast_day_ahead``, and in the regional dataset
    that of the same region. Values are half-hourly; real-time data between the half-hours are left
    out.

    Attributes
    ----------
    path
        The folder that was given to the command as ``--out``.
    dataset
        Which of its datasets.
    """

    name: Literal["odre"] = "odre"
    dataset: Dataset = "eco2mix-national"

    def _held_in(self, out: Path, request: Request) -> Store:
        command = f"frugal-ai fetch odre --dataset {self.dataset} {days(request)} --out {out}"
        return Store(out / self.dataset, command)

    def _main(self, request: Request) -> Table:
        store = self._store(request)
        if store is None:
            return super()._main(request)
        fetched = store.read(request.since, request.until)
        frame = fetched.filter(pl.col(TIME).dt.epoch("s") % STEP_S == 0)
        recent = frame.filter(is_real_time(frame))
        if not recent.is_empty():
            since = format_time(int(recent[TIME].dt.epoch("s").min()))  # type: ignore[arg-type] # a number here
            request.tell(
                f"{store.folder}: {recent[TIME].n_unique()} half-hours from {since} on are"
                " real-time data, which RTE replaces later"
            )
        return from_frame(_long(frame, request.series, str(store.folder)), str(store.folder))


def _long(frame: pl.DataFrame, wanted: tuple[str, ...], where: str) -> pl.DataFrame:
    """Bring columns into rows, one for each series and time; every column is a covariate, too."""
    names = {name: column for name, column in COLUMNS.items() if column in frame.columns}
    parts = {"": frame}
    if REGION_CODE in frame.columns:
        by_code = frame.partition_by(REGION_CODE, as_dict=True)
        parts = {f"_{REGIONS.get(str(code), code)}": part for (code,), part in by_code.items()}
    there = {
        f"{name}{suffix}": (part, column)
        for suffix, part in parts.items()
        for name, column in names.items()
        if part[column].is_not_nan().any()
    }
    for name in wanted:
        if name not in there:
            raise DataError(f"{where}: no series {name!r}; there are {listed(there, 30)}")
    columns = [pl.col(column).alias(name) for name, column in names.items()]
    return pl.concat(
        part.select(pl.lit(name).alias(SERIES), pl.col(TIME), pl.col(column).alias(VALUE), *columns)
        for name, (part, column) in there.items()
        if not wanted or name in wanted
    )
