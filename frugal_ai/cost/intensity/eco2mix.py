"""A file of eCO2mix, or of anything else with a column of direct emissions of production."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from frugal_ai.cost.intensity.point import Base, Point, ordered
from frugal_ai.cost.intensity.provider import within
from frugal_ai.data.parse import MISSING, with_instants, with_numbers
from frugal_ai.data.source import listed
from frugal_ai.data.table import Table, read_table
from frugal_ai.errors import CostError

BASE = Base("direct", "average", "production")
COLUMNS = ("taux_co2", "co2", "co2_g_per_kwh_est")
"""Names of the intensity, the first that is there is taken; the last one is an estimate."""
_TIMES = ("timestamp", "date_heure")


@dataclass(frozen=True)
class Eco2mixFile:
    """Intensity of a Parquet or CSV file; a missing value is a gap."""

    path: Path

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Return what the file has of a span of time.

        Raises
        ------
        CostError
            If a column is missing or two rows overlap.
        DataError
            If the file cannot be read.
        """
        table = read_table(self.path)
        name, time = _first(table, COLUMNS), _first(table, _TIMES)
        table = with_numbers(table, [name], MISSING)
        table = with_instants(table, time, timezone=None, dst="refuse", tell=_silent, group=())
        # two rows of one time, as of two series, are refused as overlapping
        times = table.frame[time].to_numpy()
        values = table.frame[name].cast(pl.Float64).to_numpy()
        if len(times) < 2 or not (steps := np.diff(np.unique(times))).size:
            raise CostError(f"{self.path}: expected rows at two or more times, got one")
        step = int(steps.min())
        keep = np.isfinite(values) & (times + step > start.timestamp()) & (times < end.timestamp())
        found = [
            Point(
                datetime.fromtimestamp(int(at), UTC),
                step,
                float(value),
                BASE,
                estimated=name == COLUMNS[-1],
                source=f"{self.path.name}, {name}",
            )
            for at, value in zip(times[keep], values[keep], strict=True)
        ]
        return within(ordered(found), start, end) if found else ()


def _first(table: Table, names: tuple[str, ...]) -> str:
    found = next((name for name in names if name in table.columns), None)
    if found is None:
        wanted, there = " or ".join(names), listed(table.columns, 30)
        raise CostError(f"{table.where}: expected a column {wanted}, got {there}")
    return found


def _silent(_sentence: str) -> None:
    """Hear nothing: no row is dropped here."""
