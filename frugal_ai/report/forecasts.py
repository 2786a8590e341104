"""The chosen rung's test forecasts beside what came: ``forecasts.parquet`` of a run folder."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from frugal_ai.data.table import Table, read_table
from frugal_ai.errors import DataError
from frugal_ai.files import write_bytes

NAME = "forecasts.parquet"

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_TIME = pl.Datetime("us", "UTC")
_KEY = ["series_id", "origin", "lead"]
_VALUES = ["actual", "forecast", "baseline"]


@dataclass(frozen=True)
class ForecastTable:
    """Test forecasts of S series from O origins over H steps, at Q levels.

    Attributes
    ----------
    series_ids
        Names of the series, S.
    origins
        [O] [unix s], ascending.
    step_s
        Length of an interval [s].
    actual
        [S, O, H] [unit of the series], NaN where nothing was observed.
    forecast, baseline
        Of the chosen rung and of the better seasonal naive [S, O, H] [unit of the series].
    levels
        Levels of the quantiles [1], ascending, Q; none where points alone were forecast.
    quantiles
        [S, O, H, Q] [unit of the series].

    Raises
    ------
    DataError
        If the shapes disagree.
    """

    series_ids: tuple[str, ...]
    origins: IntArray
    step_s: int
    actual: FloatArray
    forecast: FloatArray
    baseline: FloatArray
    levels: tuple[float, ...]
    quantiles: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.series_ids), len(self.origins), self.actual.shape[-1])
        for name in _VALUES:
            _expect_shape(name, getattr(self, name), shape)
        _expect_shape("quantiles", self.quantiles, (*shape, len(self.levels)))

    @property
    def steps(self) -> int:
        """Number of target steps, H."""
        return int(self.actual.shape[2])

    @property
    def times(self) -> IntArray:
        """Start of each target interval [O, H] [unix s]."""
        return self.origins[:, None] + self.step_s * np.arange(self.steps, dtype=np.int64)

    def of_series(self, index: int) -> "ForecastTable":
        """Keep one series."""
        one = slice(index, index + 1)
        return ForecastTable(
            self.series_ids[one],
            self.origins,
            self.step_s,
            self.actual[one],
            self.forecast[one],
            self.baseline[one],
            self.levels,
            self.quantiles[one],
        )

    def write(self, run_dir: Path) -> None:
        """Write the table into a run folder in long form, as a whole or not at all.

        Columns are series_id, origin, lead (1 to H), timestamp (start of the target interval),
        actual (null where nothing was observed), forecast, baseline, and one per level: ``q0.1``.

        Raises
        ------
        OutputError
            If it cannot be written; what was there stays.
        """
        content = io.BytesIO()
        self._frame().write_parquet(content)
        write_bytes(run_dir / NAME, content.getvalue())

    def _frame(self) -> pl.DataFrame:
        n_series, n_origins, steps = self.actual.shape
        values = {name: getattr(self, name).ravel() for name in _VALUES}
        values |= {_column(q): self.quantiles[..., i].ravel() for i, q in enumerate(self.levels)}
        long = {
            "series_id": np.repeat(np.array(self.series_ids, dtype=np.object_), n_origins * steps),
            "origin": np.tile(np.repeat(self.origins, steps), n_series),
            "lead": np.tile(np.arange(1, steps + 1, dtype=np.int32), n_series * n_origins),
            "timestamp": np.tile(self.times.ravel(), n_series),
            **values,
        }
        schema = {"series_id": pl.String, "lead": pl.Int32}
        return pl.DataFrame(long, schema_overrides=schema).with_columns(
            (pl.col("origin", "timestamp") * 1_000_000).cast(_TIME),
            pl.col("actual").fill_nan(None),
        )

    @classmethod
    def read(cls, run_dir: Path) -> "ForecastTable":
        """Read the table of a run folder, with or without quantiles.

        Raises
        ------
        DataError
            If there is none, it is cut, a column is missing or of another type, a forecast is not
            a number, or a row is missing or there twice; says file and column.
        """
        if not (run_dir / NAME).exists():
            raise DataError(f"{run_dir / NAME}: expected the forecasts of a run; run it again")
        table = read_table(run_dir / NAME)
        table.need([*_KEY, "timestamp", *_VALUES])
        levels = _levels(table)
        frame = _typed(table, [*_VALUES, *map(_column, levels)])
        series_ids = tuple(frame["series_id"].unique(maintain_order=True).to_list())
        order = {name: index for index, name in enumerate(series_ids)}
        frame = frame.with_columns(pl.col("series_id").replace_strict(order)).sort(_KEY)
        origins = np.sort(frame["origin"].unique().to_numpy())
        steps = int(frame["lead"].to_numpy().max())
        _check_rows(table, frame, len(series_ids), origins, steps)
        shape = (len(series_ids), len(origins), steps)
        columns = {name: frame[name].to_numpy().reshape(shape) for name in _VALUES}
        stacked = [frame[_column(level)].to_numpy().reshape(shape) for level in levels]
        quantiles = np.stack(stacked, axis=-1) if stacked else np.empty((*shape, 0))
        step_s = _step(table, frame, origins)
        return cls(series_ids, origins, step_s, **columns, levels=levels, quantiles=quantiles)


def _expect_shape(name: str, array: FloatArray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        got = list(array.shape)
        raise DataError(f"forecasts: expected {name} of shape {list(shape)}, got {got}")


def _column(level: float) -> str:
    return f"q{level!r}"


def _levels(table: Table) -> tuple[float, ...]:
    """Read the levels off the names of the columns; each is in (0, 1)."""
    found = []
    for name in table.columns:
        try:
            level = float(name.removeprefix("q")) if name.startswith("q") else None
        except ValueError:
            continue
        if level is not None and name == _column(level):
            if not 0 < level < 1:
                raise DataError(f"{table.where}: {name}: expected a level between 0 and 1")
            found.append(level)
    return tuple(sorted(found))


def _typed(table: Table, values: list[str]) -> pl.DataFrame:
    """Check types and gaps; origin and timestamp become [unix s], a missing actual NaN."""
    frame = table.frame
    wanted = {"series_id": pl.String, "lead": pl.Int32, "origin": _TIME, "timestamp": _TIME}
    wanted |= dict.fromkeys(values, pl.Float64)
    for name, kind in wanted.items():
        if frame.schema[name] != kind:
            got = frame.schema[name]
            raise DataError(f"{table.where}: {name}: expected {kind}, got {got}")
        bad = frame.filter(pl.col(name).is_null())
        if name != "actual" and len(bad):
            raise DataError(f"{table.at(bad)}: {name}: expected a value, got none")
    for name in values:
        bad = frame.filter(~pl.col(name).is_finite())
        if len(bad):
            raise DataError(f"{table.at(bad)}: {name}: expected a finite number")
    if not len(frame):
        raise DataError(f"{table.where}: expected rows, got none")
    return frame.with_columns(
        pl.col("origin", "timestamp").dt.epoch("s"),
        pl.col("lead").cast(pl.Int64),
        pl.col("actual").fill_null(np.nan),
    )


def _check_rows(
    table: Table, frame: pl.DataFrame, n_series: int, origins: IntArray, steps: int
) -> None:
    """Check that there is one row for each series, origin and lead time, and no other."""
    n_origins = len(origins)
    count = n_series * n_origins * steps
    if len(frame) != count:
        raise _incomplete(table, n_series, n_origins, steps)
    expected = {
        "series_id": np.repeat(np.arange(n_series), n_origins * steps),
        "origin": np.tile(np.repeat(origins, steps), n_series),
        "lead": np.tile(np.arange(1, steps + 1), n_series * n_origins),
    }
    if any(not np.array_equal(frame[name].to_numpy(), column) for name, column in expected.items()):
        raise _incomplete(table, n_series, n_origins, steps)


def _incomplete(table: Table, n_series: int, n_origins: int, steps: int) -> DataError:
    count = n_series * n_origins * steps
    return DataError(
        f"{table.where}: expected each of {n_series} series, {n_origins} origins and {steps} lead "
        f"times once, {count} rows, got {len(table.frame)} rows that are not those"
    )


def _step(table: Table, frame: pl.DataFrame, origins: IntArray) -> int:
    """Return the length of an interval [s]; with one lead time, the time between two origins."""
    ahead = (frame["timestamp"] - frame["origin"]).to_numpy()
    lead = frame["lead"].to_numpy()
    several = lead > 1
    if several.any():
        step = int(ahead[several][0]) // int(lead[several][0] - 1)
    else:
        step = int(np.diff(origins).min()) if len(origins) > 1 else 3600
    wrong = frame.filter(ahead != (lead - 1) * step)
    if len(wrong) or step <= 0:
        at = f"{table.at(wrong)}: " if len(wrong) else f"{table.where}: "
        raise DataError(f"{at}timestamp: expected the origin and lead - 1 equal steps after it")
    return step
