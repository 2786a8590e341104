from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.panel import Panel
from frugal_ai.data.sources import Request, make
from frugal_ai.errors import DataError, PipelineError

START = datetime(2024, 1, 1, tzinfo=UTC)
T0 = int(START.timestamp())
NAN = np.nan
HOURLY = "series_id,timestamp,value\n" + "".join(
    f"a,2024-01-01T{hour:02d}:00:00Z,{hour}\n" for hour in range(6)
)


def request(base: Path, told: list[str] | None = None, **changes: Any) -> Request:
    tell = (told if told is not None else []).append
    return replace(Request(series=(), step_s=3600, tell=tell, base=base), **changes)


def load(base: Path, config: dict[str, Any], **changes: Any) -> Panel:
    return make({"name": "file", **config}).load(request(base, **changes))


def load_csv(
    folder: Path, text: str, config: dict[str, Any] | None = None, **changes: Any
) -> Panel:
    (folder / "load.csv").write_text(text)
    return load(folder, {"path": "load.csv", **(config or {})}, **changes)


def lines(values: Iterable[object]) -> str:
    return "series_id,timestamp,value\n" + "".join(
        f"a,2024-01-01T{hour:02d}:00:00Z,{value}\n" for hour, value in enumerate(values)
    )


def test_csv_and_parquet_give_the_same_panel(tmp_path: Path) -> None:
    panel = load_csv(tmp_path, HOURLY)
    frame = pl.read_csv(tmp_path / "load.csv", try_parse_dates=True)
    frame.write_parquet(tmp_path / "load.parquet")
    assert load(tmp_path, {"path": "load.parquet"}).digest() == panel.digest()
    assert panel.values.tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]


def test_the_digest_covers_the_content(tmp_path: Path) -> None:
    panel = load_csv(tmp_path, HOURLY)
    assert load_csv(tmp_path, HOURLY.replace(",5\n", ",6\n")).digest() != panel.digest()


def test_columns_of_other_names(tmp_path: Path) -> None:
    text = "when;name;mw;t2m\n2024-01-01T00:00Z;a;1;7\n2024-01-01T01:00Z;a;2;8\n"
    columns = {"timestamp": "when", "series_id": "name", "value": "mw", "temp": "t2m"}
    config = {"columns": columns, "separator": ";"}
    panel = load_csv(tmp_path, text, config, known=("temp",))
    assert panel.values.tolist() == [[1.0, 2.0]]
    assert panel.known.tolist() == [[[7.0], [8.0]]]
    with pytest.raises(DataError, match=r"load\.csv: expected a column 'MW', got when, name"):
        load_csv(tmp_path, text, {**config, "columns": {**columns, "value": "MW"}})


def test_a_file_of_one_series_without_its_name(tmp_path: Path) -> None:
    text = "timestamp,value\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,2\n"
    assert load_csv(tmp_path, text, {"series_id": "load"}).series_ids == ("load",)
    with pytest.raises(DataError, match=r"declare its name as series_id"):
        load_csv(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected rows, got an empty file"),
        ("series_id,timestamp,value\n", "expected rows, got none"),
        ("series_id,timestamp\na,2024-01-01T00:00Z\n", "expected a column 'value', got series_id"),
        ("timestamp;value\n2024-01-01T00:00Z;1\n", "expected a column 'timestamp', got timestamp;"),
        (lines([1, "two", 3]), "line 3: value: expected a finite number, got 'two'"),
        (lines(["", "", ""]), "a: expected values, all are missing"),
        (lines([1, 2]) + "a,2024-01-01T01:00:00Z,9\n", "line 4: a: expected one row at 2024-01-01"),
        (lines([1, 2]) + "a,2024-01-01T02:20:00Z,9\n", "line 4: a: expected one row every 1h"),
        (lines([1, 2]).replace("Z", ""), "line 2: timestamp: .* has no time zone"),
        (lines([1, 2]).replace("a,2024", ",2024"), "line 2: series_id: expected a name, got none"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_csv(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "load.csv"))


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1" * 10])
def test_a_parquet_that_is_not_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "load.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"load\.parquet: expected a Parquet file"):
        load(tmp_path, {"path": "load.parquet"})


def test_unsorted_rows_are_sorted_and_that_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    head, *rows = HOURLY.splitlines(keepends=True)
    panel = load_csv(tmp_path, head + "".join(rows[::-1]), tell=told.append)
    assert panel.digest() == load_csv(tmp_path, HOURLY).digest()
    assert len(told) == 1
    assert "rows sorted, 5 stood after a later one, the first at line 3" in told[0]


def test_local_times(tmp_path: Path) -> None:
    rows = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    text = "series_id,timestamp,value\n" + "".join(f"a,{t},{i}\n" for i, t in enumerate(rows))
    with pytest.raises(DataError, match=r"line 3: timestamp: .* stands for two instants"):
        load_csv(tmp_path, text, {"timezone": "Europe/Paris"})
    panel = load_csv(tmp_path, text, {"timezone": "Europe/Paris", "dst": "infer"})
    assert panel.values.tolist() == [[0.0, 1.0, 2.0, 3.0]]
    with pytest.raises(PipelineError, match="timezone: expected an IANA name"):
        load_csv(tmp_path, text, {"timezone": "Mars/Olympus"})


def test_a_mark_for_missing_values(tmp_path: Path) -> None:
    text = lines([1, "-", 3])
    with pytest.raises(DataError, match="line 3: value: expected a finite number, got '-'"):
        load_csv(tmp_path, text)
    panel = load_csv(tmp_path, text, {"missing": ["-"]})
    np.testing.assert_array_equal(panel.values, [[1.0, NAN, 3.0]])


def test_the_command_line_replaces_files(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.csv"
    other.write_text(HOURLY.replace(",5\n", ",50\n"))
    for key in ("data", ""):
        panel = load_csv(tmp_path, HOURLY, replacements={key: other})
        assert panel.values[0, 5] == 50.0
    with pytest.raises(PipelineError, match=r"--data wether=…: expected data, weather, got"):
        load(tmp_path, weather_config(), replacements={"wether": other})


def test_a_replacement_may_be_of_another_format(tmp_path: Path) -> None:
    other = tmp_path / "load.parquet"
    load_csv(tmp_path, HOURLY)
    pl.read_csv(tmp_path / "load.csv", try_parse_dates=True).write_parquet(other)
    panel = load_csv(tmp_path, HOURLY, {"format": "csv"}, replacements={"data": other})
    assert panel.length == 6


def weather_config(**table: Any) -> dict[str, Any]:
    columns = {
        "temp_mean": {"column": "value", "reduce": "mean"},
        "temp_paris": {"column": "value", "series": "paris"},
        "wind_mean": {"column": "wind", "reduce": "mean"},
    }
    entry = {"name": "weather", "path": "weather.csv", "columns": columns, **table}
    return {"path": "load.csv", "covariates": [entry]}


WEATHER = "series_id,timestamp,value,wind\n" + "".join(
    f"{city},2024-01-01T{hour:02d}:00:00Z,{value},{wind}\n"
    for city, level in (("paris", 0), ("lyon", 10))
    for hour, value, wind in ((0, level, 1), (1, level + 2, 2), (2, level + 4, 3))
)


@pytest.fixture
def with_weather(tmp_path: Path) -> Path:
    (tmp_path / "weather.csv").write_text(WEATHER)
    (tmp_path / "load.csv").write_text(
        "series_id,timestamp,value,own\na,2024-01-01T00:00:00Z,1,4\na,2024-01-01T00:30:00Z,2,5\n"
    )
    return tmp_path


def test_a_table_of_weather_is_brought_onto_the_grid(with_weather: Path) -> None:
    known = ("temp_paris", "own", "wind_mean", "temp_mean")
    panel = load(with_weather, weather_config(), known=known, step_s=1800)
    assert panel.known_names == known
    assert panel.length == 5  # the weather goes on to 02:00
    np.testing.assert_array_equal(panel.values, [[1.0, 2.0, NAN, NAN, NAN]])
    np.testing.assert_array_equal(panel.known[0, :, 0], [0.0, 1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(panel.known[0, :, 1], [4.0, 5.0, NAN, NAN, NAN])
    np.testing.assert_array_equal(panel.known[0, :, 2], [1.0, 1.5, 2.0, 2.5, 3.0])
    np.testing.assert_array_equal(panel.known[0, :, 3], [5.0, 6.0, 7.0, 8.0, 9.0])


def test_the_way_between_two_hours_may_be_declared(with_weather: Path) -> None:
    for how, expected in (("previous", [0.0, 0.0, 2.0, 2.0, 4.0]), ("none", [0, NAN, 2, NAN, 4])):
        config = weather_config(interpolate=how)
        panel = load(with_weather, config, known=("temp_paris",), step_s=1800)
        np.testing.assert_array_equal(panel.known[0, :, 0], expected)


def test_a_table_that_is_not_asked_for_is_not_read(with_weather: Path) -> None:
    (with_weather / "weather.csv").unlink()
    load(with_weather, weather_config(), known=("own",), step_s=1800)
    with pytest.raises(DataError, match=r"weather\.csv: cannot be read"):
        load(with_weather, weather_config(), known=("temp_mean",), step_s=1800)


def test_a_table_may_be_replaced(with_weather: Path) -> None:
    other = with_weather / "other.csv"
    other.write_text(
        WEATHER.replace("paris,2024-01-01T00:00:00Z,0", "paris,2024-01-01T00:00:00Z,9")
    )
    panel = load(
        with_weather,
        weather_config(),
        known=("temp_paris",),
        step_s=1800,
        replacements={"weather": other},
    )
    assert panel.known[0, 0, 0] == 9.0


def test_a_table_without_series_holds_for_all(with_weather: Path) -> None:
    (with_weather / "weather.csv").write_text(
        "time,temp\n2024-01-01T00:00:00Z,1\n2024-01-01T01:00:00Z,3\n"
    )
    config = weather_config(timestamp_column="time", columns={"temp": {"column": "temp"}})
    panel = load(with_weather, config, known=("temp",), step_s=1800)
    np.testing.assert_array_equal(panel.known[0, :, 0], [1.0, 2.0, 3.0])
    config = weather_config(series_column="city", columns={"temp": {"column": "value"}})
    with pytest.raises(DataError, match=r"weather\.csv: expected a column 'time"):
        load(with_weather, config, known=("temp",), step_s=1800)


def test_a_past_covariate_is_never_interpolated(with_weather: Path) -> None:
    """On the straight line to the next hour it would tell what no one knew at the origin."""
    with pytest.raises(DataError, match="past covariate temp_paris: expected a step of at most 30"):
        load(with_weather, weather_config(), past=("temp_paris",), step_s=1800)
    text = WEATHER.replace("paris,2024-01-01T01:00:00Z,2", "paris,2024-01-01T01:00:00Z,")
    (with_weather / "weather.csv").write_text(text)
    (with_weather / "load.csv").write_text(lines([1, 2, 3]))
    panel = load(with_weather, weather_config(), past=("temp_paris",))
    np.testing.assert_array_equal(panel.past[0, :, 0], [0.0, NAN, 4.0])


def test_an_unknown_covariate_is_refused_with_those_there_are(with_weather: Path) -> None:
    with pytest.raises(DataError, match="no covariate 'sun'; there are own, temp_mean, temp_paris"):
        load(with_weather, weather_config(), known=("sun",), step_s=1800)


def test_errors_of_a_table_name_its_file_and_line(with_weather: Path) -> None:
    (with_weather / "weather.csv").write_text(WEATHER.replace(",4,3\n", ",warm,3\n"))
    with pytest.raises(DataError, match=r"weather\.csv line 4: value: expected a finite number"):
        load(with_weather, weather_config(), known=("temp_mean",), step_s=1800)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "data"}, "the table 'data' twice"),
        ({"columns": {"t": {"column": "value", "series": "a", "reduce": "mean"}}}, "got both"),
        ({"columns": {"t": {"column": "value", "reduce": "median"}}}, r"columns\.t\.reduce"),
        ({"columns": {}}, r"covariates\.0\.columns"),
        ({"interpolate": "cubic"}, r"covariates\.0\.interpolate"),
        ({"speed": 1}, r"covariates\.0\.speed: expected no such key"),
    ],
)
def test_settings_of_a_table_that_are_wrong(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        make({"name": "file", **weather_config(**changes)})


def test_a_covariate_of_two_tables_is_refused() -> None:
    config = weather_config()
    config["covariates"].append({**config["covariates"][0], "name": "again"})
    with pytest.raises(PipelineError, match="the covariate 'temp_mean' twice"):
        make({"name": "file", **config})


def test_no_forecast_sees_what_comes_after_its_origin(with_weather: Path) -> None:
    """Poison of all rows from an instant on leaves values and past covariates before it alone."""
    hours = [START + timedelta(hours=i) for i in range(48)]
    frame = pl.DataFrame({"series_id": "a", "timestamp": hours}).with_columns(
        value=pl.int_range(48).cast(pl.Float64), flow=pl.int_range(48) * 2.0
    )
    poisoned = frame.with_columns(
        pl.when(pl.col("timestamp") >= hours[30]).then(-1e9).otherwise(pl.col(name)).alias(name)
        for name in ("value", "flow")
    )
    panels = []
    for rows in (frame, poisoned):
        rows.write_parquet(with_weather / "load.parquet")
        panels.append(load(with_weather, {"path": "load.parquet"}, past=("flow",)))
    np.testing.assert_array_equal(panels[0].values[:, :30], panels[1].values[:, :30])
    np.testing.assert_array_equal(panels[0].past[:, :30], panels[1].past[:, :30])
    assert panels[0].digest() != panels[1].digest()
