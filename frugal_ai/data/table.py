"""Rows as they were delivered, each with the line of the file that it comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from frugal_ai.data.source import listed
from frugal_ai.errors import DataError, PipelineError

ROW = "__row__"
Format = Literal["csv", "parquet"]
_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True)
class Table:
    """A frame, and how messages name it and its rows.

    Attributes
    ----------
    frame
        The rows; column ``__row__`` is the number of the line or row they come from.
    where
        File, or what else the rows come from.
    unit
        ``line`` of a text file or ``row`` of anything else, both counted from 1.
    """

    frame: pl.DataFrame
    where: str
    unit: str

    @property
    def columns(self) -> list[str]:
        """Names of the columns that were delivered."""
        return [name for name in self.frame.columns if name != ROW]

    def with_frame(self, frame: pl.DataFrame) -> "Table":
        """Return other rows of the same origin."""
        return replace(self, frame=frame)

    def at(self, rows: pl.DataFrame) -> str:
        """Name the place of the first of some rows, ``load.csv line 17``."""
        return f"{self.where} {self.unit} {rows.item(0, ROW)}"

    def need(self, columns: list[str]) -> None:
        """Check that columns are there.

        Raises
        ------
        DataError
            If one is not.
        """
        for name in columns:
            if name not in self.columns:
                raise DataError(
                    f"{self.where}: expected a column {name!r}, got {listed(self.columns, 30)}"
                )


def read_table(path: Path, file_format: Format | None = None, separator: str = ",") -> Table:
    """Read a Parquet or a CSV file; the columns of a CSV stay text.

    Parameters
    ----------
    path
        The file.
    file_format
        None to go by the end of the file's name.
    separator
        Between the fields of a CSV.

    Raises
    ------
    DataError
        If the file cannot be read, is not of its format or holds no rows.
    PipelineError
        If the format is not given and the file's name does not tell it.
    """
    kind = file_format or _format_of(path)
    with _readable(path, kind):
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if kind == "parquet":
            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
        else:
            frame = pl.read_csv(path, infer_schema=False, separator=separator, glob=False)
    table = _numbered(frame, str(path), kind)
    repeated = [name for name in table.columns if name.endswith("_duplicated_0")]
    if kind == "csv" and repeated:
        name = repeated[0].removesuffix("_duplicated_0")
        raise DataError(f"{path}: expected distinct columns, got {name!r} twice")
    return table


def _numbered(frame: pl.DataFrame, where: str, kind: str) -> Table:
    """Give each row its number and drop blank lines."""
    csv = kind == "csv"
    numbered = frame.with_row_index(ROW, offset=2 if csv else 1)  # line 1 is the header
    rows = numbered.filter(~pl.all_horizontal(pl.exclude(ROW).is_null())) if csv else numbered
    if rows.is_empty():
        raise DataError(f"{where}: expected rows, got none")
    return Table(frame=rows, where=where, unit="line" if csv else "row")


def _format_of(path: Path) -> Format:
    for suffix, kind in _FORMATS.items():
        if path.name.lower().endswith(suffix):
            return kind
    raise PipelineError(
        f"{path}: expected a file named {listed(_FORMATS)}; else declare format: csv or parquet"
    )


@contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition(":")[0]
        raise DataError(f"{path}: cannot be read: {reason}") from None
    except pl.exceptions.NoDataError:
        raise DataError(f"{path}: expected rows, got an empty file") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:  # of broken bytes
        name = {"csv": "CSV", "parquet": "Parquet"}[kind]
        raise DataError(f"{path}: expected a {name} file: {str(error).splitlines()[0]}") from None


def from_frame(frame: Any, where: str = "frame") -> Table:
    """Take the rows of a Polars frame, or of a pandas frame with its named index.

    Raises
    ------
    DataError
        If it is neither or holds no rows.
    """
    if isinstance(frame, pl.DataFrame):
        return _numbered(frame, where, "frame")
    if type(frame).__module__.partition(".")[0] == "pandas":
        return _numbered(_from_pandas(frame), where, "frame")
    raise DataError(f"{where}: expected a Polars or pandas frame, got {type(frame).__name__}")


def _from_pandas(frame: Any) -> pl.DataFrame:
    """Copy a pandas frame by way of numpy; polars' own way needs pyarrow for text."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    return pl.DataFrame([_series(str(name), frame[name]) for name in frame.columns])


def _series(name: str, column: Any) -> pl.Series:
    zone = getattr(column.dtype, "tz", None)
    if zone is not None:
        plain = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return pl.Series(name, plain).dt.replace_time_zone("UTC")
    if column.dtype.kind in "iufbM":
        return pl.Series(name, column.to_numpy())
    missing = column.isna().to_numpy()
    values = column.astype(object).to_numpy()
    return pl.Series(name, [None if gone else v for gone, v in zip(missing, values, strict=True)])
