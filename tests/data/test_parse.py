from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.parse import Dst, with_instants, with_numbers
from frugal_ai.data.table import Table, from_frame
from frugal_ai.errors import DataError, PipelineError


def table(name: str, values: Sequence[Any] | pl.Series) -> Table:
    return from_frame(pl.DataFrame({name: values}).with_columns(series_id=pl.lit("a")), "f")


def instants(
    values: Sequence[Any] | pl.Series,
    timezone: str | None = None,
    dst: Dst = "refuse",
    told: list[str] | None = None,
) -> list[int]:
    tell = (told if told is not None else []).append
    rows = with_instants(
        table("timestamp", values), "timestamp", timezone=timezone, dst=dst, tell=tell,
        group=("series_id",),
    )  # fmt: skip
    assert rows.frame["timestamp"].dtype == pl.Int64
    return rows.frame["timestamp"].to_list()


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type] # ints only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-31T02:30:00Z", utc(2024, 3, 31, 2, 30)),
        ("2024-03-31T02:30:00+02:00", utc(2024, 3, 31, 0, 30)),
        ("2024-03-31 02:30-0530", utc(2024, 3, 31, 8)),
        ("2024-03-31 02:30 +01", utc(2024, 3, 31, 1, 30)),
        ("2024-03-31 02:30:15.000Z", utc(2024, 3, 31, 2, 30, 15)),
        (" 2024-03-31Z ", utc(2024, 3, 31)),
    ],
)
def test_text_with_an_offset(text: str, expected: int) -> None:
    assert instants([text]) == [expected]


@given(
    t=st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - the zone comes next
    zone=st.sampled_from(["Europe/Paris", "America/St_Johns", "Asia/Kolkata", "UTC"]),
)
def test_text_agrees_with_isoformat(t: datetime, zone: str) -> None:
    there = t.replace(microsecond=0, tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert instants([there.isoformat()]) == [int(there.timestamp())]


@pytest.mark.parametrize(
    "text", ["31/12/2024", "2024-02-30T00:00Z", "2024-01-01T25:00Z", "now", "1704067200"]
)
def test_text_that_is_no_time(text: str) -> None:
    with pytest.raises(DataError, match="f row 2: timestamp: expected a time such as") as caught:
        instants(["2024-01-01T00:00Z", text])
    assert repr(text) in str(caught.value)


def test_text_of_which_some_has_no_offset() -> None:
    with pytest.raises(DataError, match="f row 2: timestamp: expected an offset from UTC"):
        instants(["2024-01-01T00:00Z", "2024-01-01T01:00"], timezone="Europe/Paris")


def test_a_missing_timestamp() -> None:
    with pytest.raises(DataError, match="f row 2: timestamp: expected a timestamp, got none"):
        instants(["2024-01-01T00:00Z", None])


def test_a_fraction_of_a_second() -> None:
    times = pl.Series([datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=5)])
    with pytest.raises(DataError, match="f row 1: timestamp: expected whole seconds"):
        instants(times)


@pytest.mark.parametrize("values", [[1704067200], [1.5], [True]])
def test_numbers_are_no_timestamps(values: list[Any]) -> None:
    with pytest.raises(DataError, match="f: timestamp: expected timestamps, got"):
        instants(values)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_instants_of_any_zone_and_unit(unit: Any) -> None:
    times = pl.Series([datetime(2024, 7, 1, tzinfo=UTC)]).dt.cast_time_unit(unit)
    assert instants(times.dt.convert_time_zone("Europe/Paris")) == [utc(2024, 7, 1)]


@pytest.mark.parametrize("values", [["2024-07-01 00:00"], [date(2024, 7, 1)],
                                    [datetime(2024, 7, 1)]])  # fmt: skip # noqa: DTZ001 - naive on purpose
def test_naive_times_are_refused_or_localised(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r"f row 1: .*no time zone.*timezone: Europe/Paris"):
        instants(values)
    assert instants(values, "Europe/Paris") == [utc(2024, 6, 30, 22)]
    assert instants(values, "UTC") == [utc(2024, 7, 1)]


def test_an_unknown_zone() -> None:
    with pytest.raises(PipelineError, match="timezone: expected an IANA name"):
        instants(["2024-07-01"], "Mars/Olympus")


AUTUMN = [f"2024-10-27 {clock}" for clock in ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")]
SPRING = ["2024-03-31 01:30", "2024-03-31 02:00", "2024-03-31 02:30", "2024-03-31 03:00"]


def test_the_repeated_hour_is_refused() -> None:
    with pytest.raises(DataError, match=r"f row 2: .*02:00:00 stands for two instants.*dst: infer"):
        instants(AUTUMN, "Europe/Paris")


def test_the_repeated_hour_is_inferred_from_the_order() -> None:
    start = utc(2024, 10, 26, 23, 30)
    assert instants(AUTUMN, "Europe/Paris", "infer") == [start + 1800 * i for i in range(6)]


def test_the_repeated_hour_cannot_be_inferred_when_it_stands_once() -> None:
    with pytest.raises(DataError, match=r"f row 2: .*two instants.*expected it twice"):
        instants(AUTUMN[:3], "Europe/Paris", "infer")


def test_the_repeated_hour_is_inferred_for_each_series() -> None:
    frame = pl.concat(
        [pl.DataFrame({"timestamp": AUTUMN, "series_id": [name] * 6}) for name in "ab"]
    )
    rows = with_instants(
        from_frame(frame), "timestamp", timezone="Europe/Paris", dst="infer", tell=print,
        group=("series_id",),
    )  # fmt: skip
    times = rows.frame["timestamp"].to_numpy().reshape(2, 6)
    assert np.all(np.diff(times) == 1800)


def test_the_repeated_hour_is_dropped_and_that_is_told() -> None:
    told: list[str] = []
    found = instants(AUTUMN, "Europe/Paris", "drop", told)
    assert found == [utc(2024, 10, 26, 23, 30), utc(2024, 10, 27, 2)]
    assert len(told) == 1
    assert "4 rows dropped" in told[0]
    assert "row 2: 2024-10-27 02:00" in told[0]


@pytest.mark.parametrize("dst", ["refuse", "infer"])
def test_an_hour_that_does_not_exist_is_refused(dst: Dst) -> None:
    with pytest.raises(DataError, match=r"f row 2: .*02:00:00 does not exist in Europe/Paris"):
        instants(SPRING, "Europe/Paris", dst)


def test_an_hour_that_does_not_exist_is_dropped_and_that_is_told() -> None:
    told: list[str] = []
    assert instants(SPRING, "Europe/Paris", "drop", told) == [utc(2024, 3, 31, 0, 30),
                                                              utc(2024, 3, 31, 1)]  # fmt: skip
    assert "2 rows dropped" in told[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", " 2.5 ", "-3e2"], [1.0, 2.5, -300.0]),
        (["", "NaN", "NA"], [np.nan] * 3),
        ([1, None, 3], [1.0, np.nan, 3.0]),
        ([True, False, None], [1.0, 0.0, np.nan]),
        ([None, None], [np.nan, np.nan]),
    ],
)
def test_numbers(values: list[Any], expected: list[float]) -> None:
    found = with_numbers(table("value", values), ["value"]).frame["value"]
    assert found.dtype == pl.Float64
    assert found.null_count() == 0
    np.testing.assert_array_equal(found.to_numpy(), expected)


@pytest.mark.parametrize("wrong", ["abc", "1,5", "inf", "-", "0x10"])
def test_text_that_is_no_number(wrong: str) -> None:
    with pytest.raises(DataError, match="f row 2: value: expected a finite number, got") as caught:
        with_numbers(table("value", ["1", wrong]), ["value"])
    assert repr(wrong) in str(caught.value)


def test_an_infinite_number() -> None:
    with pytest.raises(DataError, match="f row 2: value: expected a finite number, got inf"):
        with_numbers(table("value", [1.0, float("inf")]), ["value"])


def test_text_that_is_declared_missing() -> None:
    found = with_numbers(table("value", ["-", "1"]), ["value"], missing=("-",)).frame["value"]
    np.testing.assert_array_equal(found.to_numpy(), [np.nan, 1.0])


def test_dates_are_no_numbers() -> None:
    with pytest.raises(DataError, match="f: value: expected numbers, got Date"):
        with_numbers(table("value", [date(2024, 1, 1)]), ["value"])
