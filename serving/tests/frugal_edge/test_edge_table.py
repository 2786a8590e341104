from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from frugal_edge.errors import InputError
from frugal_edge.table import read_table
from hypothesis import given, settings
from hypothesis import strategies as st

HEADER = "series_id,timestamp,value\n"
ROW = "feeder,2024-05-01T00:00:00Z,1.5\n"
START = 1_714_521_600  # 2024-05-01T00:00:00Z


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "history.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


Write = Callable[[str | bytes], Path]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("table") / "history.csv"


def test_rows_of_one_series_are_read(write: Write) -> None:
    path = write(
        "\ufeffnote,timestamp,value,series_id,wind\r\n"
        "x,2024-05-01T00:00:00Z,1.5,feeder,3\r\n"
        "x,yesterday,much,other,?\r\n"
        "\r\n"
        "x,2024-05-01T02:30+02:00,,feeder,nan\r\n"
        "x,2024-05-01T01:30:00Z,-2e3,feeder,5\r\n"
    )
    table = read_table(path, "feeder", 1800, ("value",), ("wind", "rain"))
    assert table.times.tolist() == [START, START + 1800, START + 5400]
    np.testing.assert_array_equal(table.columns["value"], [1.5, np.nan, -2000])
    np.testing.assert_array_equal(table.columns["wind"], [3, np.nan, 5])
    assert "rain" not in table.columns


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("\n", "line 1: expected a column series_id"),
        ("timestamp,value\n", "line 1: expected a column series_id, got timestamp,value"),
        ("series_id;timestamp;value\n", "line 1: expected a column series_id, got series_id;time"),
        ("series_id,timestamp\n", "line 1: expected a column value"),
        ("series_id,timestamp,value,value\n", "line 1: column value is there twice"),
        (HEADER, "no row of series 'feeder'$"),
        (HEADER + ROW.replace("feeder", "other"), "no row of series 'feeder'; it holds other"),
        (HEADER + ROW.replace("1.5", "1,5"), "line 2: expected 3 cells, got 4"),
        (HEADER + ROW.replace("1.5", "n/a"), "line 2, value: expected a finite number, got 'n/a'"),
        (HEADER + ROW.replace("1.5", "inf"), "line 2, value: expected a finite number"),
        (HEADER + ROW.replace("1.5", "1e999"), "line 2, value: expected a finite number"),
        (HEADER + ROW.replace("1.5", "1_5"), "line 2, value: expected a finite number"),
        (HEADER + ROW.replace("Z", ""), "line 2, timestamp: expected an offset from UTC"),
        (HEADER + ROW.replace("T", "at"), "line 2, timestamp: expected an ISO 8601 time"),
        (HEADER + ROW + ROW, "line 3: expected rows in time order, .* a second time"),
        (HEADER + ROW + ROW.replace("05-01", "04-30"), "line 3: expected rows in time order, .*"),
        (HEADER + ROW + ROW.replace("00:00Z", "15:00Z"), "line 3: expected steps of 1800 s"),
        (HEADER + '"feeder', "expected a CSV file"),
        (b"PAR1\x15\x04\xff\xfe", "expected a CSV file in UTF-8"),
    ],
)
def test_bad_input_is_refused_with_its_place(write: Write, content: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"history\.csv: {said}"):
        read_table(write(content), "feeder", 1800, ("value",))


def test_a_clock_that_went_back_shows_as_a_repeat(write: Write) -> None:
    rows = ("2024-10-27T02:30+02:00,1", "2024-10-27T02:30+01:00,2", "2024-10-27T02:30+01:00,3")
    content = HEADER + "".join(f"feeder,{row}\n" for row in rows)
    with pytest.raises(InputError, match=r"line 4: .*2024-10-27T01:30:00Z a second time"):
        read_table(write(content), "feeder", 1800, ("value",))


def test_only_some_of_many_other_series_are_named(write: Write) -> None:
    content = HEADER + "".join(ROW.replace("feeder", f"s{n}") for n in range(9))
    with pytest.raises(InputError, match=r"it holds s0, s1, s2, s3, s4, \.\.\.$"):
        read_table(write(content), "feeder", 1800, ("value",))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.csv: cannot be read: No such file"):
        read_table(tmp_path / "absent.csv", "feeder", 1800, ("value",))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_table(tmp_path, "feeder", 1800, ("value",))


@settings(max_examples=200)
@given(st.text() | st.text(alphabet='feedr0129-:TZ,."\n\r').map(lambda text: HEADER + text))
def test_any_text_is_a_table_or_an_input_error(scratch: Path, text: str) -> None:
    scratch.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    try:
        table = read_table(scratch, "feeder", 1800, ("value",))
    except InputError:
        return
    assert len(table.times) == len(table.columns["value"]) > 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["feeder", "other"]), st.floats(allow_infinity=False)),
        min_size=1,
    )
)
def test_what_was_written_is_read(scratch: Path, rows: list[tuple[str, float]]) -> None:
    times = START + 1800 * np.arange(len(rows))
    lines = [
        f"{series},{np.datetime64(int(time), 's')}Z,{value!r}\n"
        for time, (series, value) in zip(times, rows, strict=True)
    ]
    scratch.write_text(HEADER + "".join(lines) + ROW.replace("05-01", "12-31"))
    table = read_table(scratch, "feeder", 1800, ("value",))
    own = [index for index, (series, _) in enumerate(rows) if series == "feeder"]
    np.testing.assert_array_equal(table.times[:-1], times[own])
    np.testing.assert_array_equal(table.columns["value"][:-1], [rows[index][1] for index in own])
