from typing import Any

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.policy import QualityPolicy
from frugal_ai.data.rows import (
    distinct,
    in_order,
    most_frequent_step,
    pick_period,
    pick_series,
    with_series,
)
from frugal_ai.data.table import Table, from_frame
from frugal_ai.errors import DataError


def table(rows: list[tuple[str, int, float]], **columns: list[Any]) -> Table:
    names = ["series_id", "timestamp", "value"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return from_frame(frame.with_columns(**{k: pl.Series(v) for k, v in columns.items()}), "f")


SHUFFLED = [("a", 0, 1.0), ("a", 7200, 3.0), ("b", 0, 4.0), ("a", 3600, 2.0), ("b", 3600, 5.0)]
DOUBLED = [("a", 0, 1.0), ("a", 3600, 2.0), ("a", 3600, 4.0), ("a", 7200, 3.0)]


def test_rows_out_of_order_are_sorted_and_that_is_told() -> None:
    told: list[str] = []
    rows = in_order(table(SHUFFLED), QualityPolicy(), told.append)
    assert rows.frame["value"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert told == [
        "f: rows sorted, 1 stood after a later one, the first at row 4: 1970-01-01T01:00:00Z"
    ]


def test_rows_out_of_order_are_refused_when_the_policy_says_so() -> None:
    with pytest.raises(DataError, match="f row 4: a: expected rows in the order of time"):
        in_order(table(SHUFFLED), QualityPolicy(unsorted="refuse"), print)


def test_series_that_alternate_are_in_order() -> None:
    told: list[str] = []
    rows = in_order(
        table([("b", 0, 1.0), ("a", 0, 2.0), ("b", 1, 3.0), ("a", 1, 4.0)]),
        QualityPolicy(unsorted="refuse"),
        told.append,
    )
    assert rows.frame["value"].to_list() == [2.0, 4.0, 1.0, 3.0]
    assert told == []


def test_duplicates_are_refused_by_default() -> None:
    with pytest.raises(
        DataError, match=r"f row 3: a: expected one row at 1970-01-01T01:00:00Z.*1 such rows"
    ):
        distinct(table(DOUBLED), QualityPolicy(), print)


@pytest.mark.parametrize(("policy", "value"), [("first", 2.0), ("mean", 3.0)])
def test_duplicates_are_merged_and_that_is_told(policy: Any, value: float) -> None:
    told: list[str] = []
    rows = distinct(table(DOUBLED), QualityPolicy(duplicates=policy), told.append)
    assert rows.frame["value"].to_list() == [1.0, value, 3.0]
    assert rows.frame["timestamp"].to_list() == [0, 3600, 7200]
    assert len(told) == 1
    assert f"1 duplicate rows, the {policy} is taken, the first: a at 1970-01-01T01" in told[0]


def test_the_mean_leaves_out_what_is_missing() -> None:
    rows = distinct(
        table([("a", 0, np.nan), ("a", 0, 4.0), ("a", 1, np.nan), ("a", 1, np.nan)]),
        QualityPolicy(duplicates="mean"),
        print,
    )
    np.testing.assert_array_equal(rows.frame["value"].to_numpy(), [4.0, np.nan])


def test_one_time_of_two_series_is_no_duplicate() -> None:
    rows = table([("a", 0, 1.0), ("b", 0, 2.0)])
    assert distinct(rows, QualityPolicy(), print) is rows


def test_series_are_picked_in_the_order_wanted() -> None:
    rows, names = pick_series(table(SHUFFLED), ("b", "a"))
    assert names == ("b", "a")
    assert rows.frame.height == 5
    rows, names = pick_series(table(SHUFFLED), ("b",))
    assert rows.frame["series_id"].unique().to_list() == ["b"]
    assert pick_series(table(SHUFFLED), ())[1] == ("a", "b")


def test_an_unknown_series_is_refused_with_those_there_are() -> None:
    with pytest.raises(DataError, match=r"f: no series 'c'; there are a, b$"):
        pick_series(table(SHUFFLED), ("a", "c"))
    many = table([(f"s{i}", 0, 1.0) for i in range(20)])
    with pytest.raises(DataError, match=r"s0, .*s11, and 8 more"):
        pick_series(many, ("c",))


def test_a_series_column_of_any_kind_becomes_text() -> None:
    rows = table(SHUFFLED, series_id=[7, 7, 8, 7, 8])
    assert with_series(rows, None).frame["series_id"].to_list() == ["7", "7", "8", "7", "8"]


def test_a_row_without_a_series_is_refused() -> None:
    rows = table(SHUFFLED, series_id=["a", None, "b", "a", "b"])
    with pytest.raises(DataError, match="f row 2: series_id: expected a name, got none"):
        with_series(rows, None)


def test_a_file_without_a_series_column_needs_its_name() -> None:
    rows = from_frame(pl.DataFrame({"timestamp": [0], "value": [1.0]}), "f")
    assert with_series(rows, "load").frame["series_id"].to_list() == ["load"]
    with pytest.raises(DataError, match="f: expected a column 'series_id', got timestamp, value"):
        with_series(rows, None)


def test_a_period_is_cut_out() -> None:
    assert pick_period(table(DOUBLED), 3600, 7200).frame["value"].to_list() == [2.0, 4.0]
    assert pick_period(table(DOUBLED), None, None).frame.height == 4


@pytest.mark.parametrize(("since", "until"), [(9000, None), (None, 0), (1, 3600)])
def test_a_period_without_rows_is_refused(since: int | None, until: int | None) -> None:
    with pytest.raises(DataError, match="they lie from 1970-01-01T00:00:00Z to 1970-01-01T02"):
        pick_period(table(DOUBLED), since, until)


def test_the_most_frequent_step() -> None:
    assert most_frequent_step(np.array([0, 60, 120, 300])) == 60
    assert most_frequent_step(np.array([5])) == 0
