from pathlib import Path

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.table import ROW, Table, from_frame, read_table
from frugal_ai.errors import DataError, PipelineError

ROWS = "series_id,timestamp,value\na,2024-01-01T00:00:00Z,1\na,2024-01-01T01:00:00Z,2\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_csv_is_read_as_text_with_its_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", ROWS)
    table = read_table(path)
    assert table.columns == ["series_id", "timestamp", "value"]
    assert table.frame["value"].to_list() == ["1", "2"]
    assert table.frame[ROW].to_list() == [2, 3]
    assert table.at(table.frame.tail(1)) == f"{path} line 3"


def test_blank_lines_of_a_csv_count_as_lines_but_not_as_rows(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "load.csv", "a,b\n1,2\n\n3,4\n"))
    assert table.frame[ROW].to_list() == [2, 4]


def test_a_csv_with_a_byte_order_mark_and_another_separator(tmp_path: Path) -> None:
    path = write(tmp_path / "load.txt", "\ufeffa;b\r\n1;2\r\n")
    assert read_table(path, separator=";").columns == ["a", "b"]


def test_a_parquet_is_read_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "load[1].parquet"  # not a pattern
    pl.DataFrame({"value": [1.0, 2.0]}).write_parquet(path)
    table = read_table(path)
    assert table.at(table.frame.tail(1)) == f"{path} row 2"


def test_the_format_may_be_declared(tmp_path: Path) -> None:
    path = write(tmp_path / "load.dat", ROWS)
    assert read_table(path, "csv").frame.height == 2
    with pytest.raises(PipelineError, match=r"load\.dat: .*\.csv.*declare format: csv or parquet"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "expected rows, got an empty file"),
        ("x.csv", b"\n\n", "expected rows, got an empty file"),
        ("x.csv", b"series_id,timestamp,value\n", "expected rows, got none"),
        ("x.csv", b"a,b\n1,2,3\n", "expected a CSV file"),
        ("x.csv", b"a,b\n1,\xff\n", "expected a CSV file"),
        ("x.csv", b"a,a\n1,2\n", "expected distinct columns, got 'a' twice"),
        ("x.parquet", b"", "expected a Parquet file"),
        ("x.parquet", ROWS.encode(), "expected a Parquet file"),
        ("x.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", "expected a Parquet file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_parquet_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"value": []}).write_parquet(path)
    with pytest.raises(DataError, match="expected rows, got none"):
        read_table(path)


def test_a_parquet_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"value": np.arange(1000.0)}).write_parquet(path)
    write(path, path.read_bytes()[:-100])
    with pytest.raises(DataError, match="expected a Parquet file"):
        read_table(path)


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_table(path)
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read: it is a folder"):
        read_table(path)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "x.csv", ROWS))
    table.need(["value"])
    with pytest.raises(DataError, match="a column 'load', got series_id, timestamp, value"):
        table.need(["value", "load"])


def test_a_polars_frame() -> None:
    table = from_frame(pl.DataFrame({"value": [1.0]}), "mine")
    assert isinstance(table, Table)
    assert table.at(table.frame) == "mine row 1"


def test_a_pandas_frame_with_an_index() -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    times = pd.to_datetime(["2024-01-01", "2024-07-01"]).tz_localize("Europe/Paris")
    given = pd.DataFrame(
        {
            "series_id": ["a", None],
            "timestamp": times,
            "kind": pd.Categorical(["x", "y"]),
            "value": [1.0, np.nan],
            "flag": [True, False],
        }
    )
    for frame in (given, given.set_index(["series_id", "timestamp"])):
        found = from_frame(frame).frame
        assert found["series_id"].to_list() == ["a", None]
        assert found["timestamp"].dt.epoch("s").to_list() == [1704063600, 1719784800]
        assert found["timestamp"].dtype == pl.Datetime("us", "UTC")
        assert found["kind"].to_list() == ["x", "y"]
        assert found["flag"].to_list() == [True, False]
        np.testing.assert_array_equal(found["value"].to_numpy(), [1.0, np.nan])


@pytest.mark.parametrize("given", [[1, 2], {"value": [1.0]}, None])
def test_what_is_not_a_frame_is_refused(given: object) -> None:
    with pytest.raises(DataError, match="expected a Polars or pandas frame, got"):
        from_frame(given)


def test_a_frame_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="frame: expected rows, got none"):
        from_frame(pl.DataFrame({"value": []}))
