from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from frugal_edge.store.database import Database
from frugal_edge.store.readings import VALUE, Reading, Readings
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = (VALUE, "temperature")
OTHER = "other"
readings_lists = st.lists(
    st.builds(
        Reading,
        st.sampled_from(NAMES),
        st.integers(0, 12).map(lambda step: 1800 * step),
        st.none() | st.floats(-1e9, 1e9),
    ),
    max_size=12,
)


@settings(deadline=None)  # it writes to disk
@given(
    messages=st.lists(readings_lists, max_size=6), trims=st.lists(st.integers(0, 13), max_size=3)
)
def test_the_store_holds_what_a_dict_would(
    open_database: Callable[[], Database], messages: list[list[Reading]], trims: list[int]
) -> None:
    store = Readings(open_database())
    store.put(OTHER, [Reading(VALUE, 0, -1.0)], 0)
    oracle: dict[tuple[str, int], float] = {}
    for message in messages:
        changed = 0
        for one in message:
            before = oracle.get((one.name, one.time))
            if one.value is None:
                changed += oracle.pop((one.name, one.time), None) is not None
            elif before != one.value:
                oracle[one.name, one.time] = one.value
                changed += 1
        assert store.put("a", message, 7) == changed
    for step in trims:
        gone = [key for key in oracle if key[1] < 1800 * step]
        assert store.trim("a", 1800 * step) == len(gone)
        for key in gone:
            del oracle[key]
    check(store, oracle)
    assert store.newest(OTHER) == 0  # another series is left alone


def check(store: Readings, oracle: dict[tuple[str, int], float]) -> None:
    times = sorted({time for _, time in oracle})
    table = store.table("a", NAMES, 0, 10**9)
    values = [time for name, time in oracle if name == VALUE]
    assert store.newest("a") == max(values, default=None)
    assert store.newest("a", until=5 * 1800) == max(
        (time for time in values if time <= 5 * 1800), default=None
    )
    if not times:
        assert table is None
        return
    assert table is not None
    assert table.times.tolist() == times
    for name in NAMES:
        expected = [oracle.get((name, time), np.nan) for time in times]
        np.testing.assert_array_equal(table.columns[name], expected)


def test_late_corrected_and_out_of_order_readings_take_their_place(database: Database) -> None:
    store = Readings(database)
    assert store.put("a", [Reading(VALUE, 3600, 3.0), Reading(VALUE, 0, 1.0)], 1) == 2
    assert store.put("a", [Reading(VALUE, 1800, 2.0)], 2) == 1
    assert store.put("a", [Reading(VALUE, 1800, 2.0)], 3) == 0  # once more, nothing new
    assert store.put("a", [Reading(VALUE, 1800, 2.5)], 4) == 1
    table = store.table("a", (VALUE,), 0, 5400)
    assert table is not None
    assert table.columns[VALUE].tolist() == [1.0, 2.5, 3.0]


def test_a_window_holds_its_start_and_not_its_end(database: Database) -> None:
    store = Readings(database)
    store.put("a", [Reading(VALUE, 1800 * step, step) for step in range(5)], 0)
    table = store.table("a", (VALUE,), 1800, 3 * 1800)
    assert table is not None
    assert table.times.tolist() == [1800, 3600]


def test_a_message_is_stored_whole_or_not_at_all(database: Database) -> None:
    store = Readings(database)

    def broken() -> "list[Reading]":
        return [Reading(VALUE, 0, 1.0), Reading(VALUE, 2**70, 1.0)]

    with pytest.raises(OverflowError):  # of SQLite's integers; no reading gets here
        store.put("a", broken(), 0)
    assert store.newest("a") is None


def test_readings_outlive_the_process(tmp_path: Path) -> None:
    first = Database(tmp_path)
    Readings(first).put("a", [Reading(VALUE, 1800, 2.0)], 0)
    first.close()
    again = Database(tmp_path)
    assert Readings(again).newest("a") == 1800
    again.close()


def test_the_level_is_the_mean_size_of_what_was_read(database: Database) -> None:
    store = Readings(database)
    assert store.level("a", 0, 10) == (0, 0.0)
    store.put("a", [Reading(VALUE, n, (-1.0) ** n * n) for n in range(5)], 0)
    store.put("a", [Reading("temperature", n, 100.0) for n in range(5)], 0)
    assert store.level("a", 1, 4) == (3, 2.0)


def test_readings_in_another_unit_rest_until_it_is_back(
    open_database: Callable[[], Database],
) -> None:
    database = open_database()
    store = Readings(database)
    assert store.in_unit("a", "kW") is None
    store.put("a", [Reading(VALUE, 0, 1000.0)], 0)
    store.put(OTHER, [Reading(VALUE, 0, 7.0)], 0)
    assert store.in_unit("a", "kW") is None
    assert store.in_unit("a", "MW") == "kW"
    assert store.newest("a") is None
    store.put("a", [Reading(VALUE, 1800, 1.0)], 0)
    again = Readings(database)
    assert again.in_unit("a", "MW") is None
    assert again.in_unit("a", "kW") == "MW"
    assert (again.newest("a"), again.newest(OTHER)) == (0, 0)
    assert again.in_unit("a", "MW") == "kW"
    assert again.newest("a") == 1800
