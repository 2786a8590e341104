from typing import Any

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.covariates import Track, track
from frugal_ai.data.panel import FloatArray, IntArray
from frugal_ai.data.table import Table, from_frame
from frugal_ai.errors import DataError

NAN = np.nan
H = 3600


def one(values: list[float], native_s: int = H) -> Track:
    times = np.arange(len(values), dtype=np.int64) * native_s
    return Track(times=times, values=np.array([values]), native_s=native_s)


def halves(n: int) -> IntArray:
    return np.arange(n, dtype=np.int64) * H // 2


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("linear", [1.0, 2.0, 3.0, 4.0, 5.0, NAN]),
        ("previous", [1.0, 1.0, 3.0, 3.0, 5.0, NAN]),
        ("none", [1.0, NAN, 3.0, NAN, 5.0, NAN]),
    ],
)
def test_hourly_values_on_half_hours(how: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(one([1.0, 3.0, 5.0]).at(halves(6), how, 0), [expected])


def test_nothing_is_extrapolated() -> None:
    wanted = np.array([-H, -1, 0, H, H + 1, 2 * H])
    for how in ("linear", "previous", "none"):
        found = one([1.0, 3.0]).at(wanted, how, 10 * H)
        np.testing.assert_array_equal(found, [[NAN, NAN, 1.0, 3.0, NAN, NAN]])


@pytest.mark.parametrize(("max_gap_s", "bridged"), [(2 * H, True), (2 * H - 1, False)])
def test_a_hole_is_bridged_up_to_the_policy(max_gap_s: int, bridged: bool) -> None:
    found = one([0.0, NAN, NAN, 3.0]).at(halves(7), "linear", max_gap_s)[0]
    expected = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0] if bridged else [0.0, *[NAN] * 5, 3.0]
    np.testing.assert_allclose(found, expected)


def test_a_track_without_values() -> None:
    empty = one([NAN, NAN])
    assert empty.end() is None
    assert np.isnan(empty.at(halves(3), "linear", 0)).all()


def test_the_end_is_the_last_value() -> None:
    assert one([1.0, 2.0, NAN]).end() == H


ROWS = [("paris", 0, 1.0), ("paris", H, 2.0), ("lyon", 0, 3.0), ("lyon", H, NAN)]


def cities(rows: list[tuple[str, int, float]]) -> Table:
    frame = pl.DataFrame(rows, schema=["series_id", "timestamp", "temp"], orient="row")
    return from_frame(frame.sort("series_id", "timestamp"), "weather")


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [("mean", [2.0, 2.0]), ("min", [1.0, 2.0]), ("max", [3.0, 2.0]), ("sum", [4.0, NAN])],
)
def test_series_are_reduced_to_one(reduce: Any, expected: list[float]) -> None:
    found = track(cities(ROWS), "temp", ("load",), series=None, reduce=reduce)
    np.testing.assert_array_equal(found.values, [expected])
    assert found.native_s == H


@pytest.mark.parametrize("reduce", ["mean", "min", "max"])
def test_nothing_reduced_is_missing(reduce: Any) -> None:
    found = track(cities([("a", 0, NAN), ("b", 0, NAN)]), "temp", ("x",), series=None,
                  reduce=reduce)  # fmt: skip
    np.testing.assert_array_equal(found.values, [[NAN]])


def values_for(
    series_ids: tuple[str, ...], series: str | None, rows: list[tuple[str, int, float]]
) -> FloatArray:
    return track(cities(rows), "temp", series_ids, series=series, reduce=None).values


def test_one_series_stands_for_all() -> None:
    np.testing.assert_array_equal(values_for(("load", "pv"), "paris", ROWS), [[1.0, 2.0]])
    np.testing.assert_array_equal(values_for(("load", "pv"), None, ROWS[:2]), [[1.0, 2.0]])


def test_each_series_takes_its_own() -> None:
    found = values_for(("lyon", "paris"), None, ROWS)
    np.testing.assert_array_equal(found, [[3.0, NAN], [1.0, 2.0]])


def test_series_that_are_not_there_are_refused() -> None:
    with pytest.raises(DataError, match=r"weather: temp: no series 'load'; there are lyon, paris"):
        values_for(("load",), None, ROWS)
    with pytest.raises(DataError, match="no series 'nice'"):
        values_for(("load",), "nice", ROWS)
    with pytest.raises(DataError, match="no series 'lyon'"):
        values_for(("paris", "lyon"), None, ROWS[:2])
