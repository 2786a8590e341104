"""Counters, quarantine, and forecasts with how far they were off."""

from pathlib import Path

import pytest
from frugal_edge.store.counters import SINCE, Count, Counters
from frugal_edge.store.database import Database
from frugal_edge.store.forecasts import Error, Forecasts
from frugal_edge.store.quarantine import Quarantine, Refused


def test_counters_outlive_the_process_and_gauges_do_not(tmp_path: Path) -> None:
    first = Database(tmp_path)
    counters = Counters(first)
    counters.add("forecasts_total", series="a", model="m")
    counters.add("forecasts_total", 2, model="m", series="a")  # labels have no order
    counters.add("forecasts_total", series="b", model="m")
    counters.set("outbox_messages", 7)
    counters.flush()
    first.close()
    again = Database(tmp_path)
    restored = Counters(again)
    assert list(restored) == [
        Count("forecasts_total", {"model": "m", "series": "a"}, 3.0),
        Count("forecasts_total", {"model": "m", "series": "b"}, 1.0),
    ]
    assert restored.get("outbox_messages") == 0
    again.close()


def test_what_was_not_flushed_is_not_counted_twice_and_what_was_adds_up(database: Database) -> None:
    counters = Counters(database)
    counters.add("n_total", 1)
    counters.flush()
    counters.add("n_total", 2)
    assert Counters(database).get("n_total") == 1
    counters.flush()
    counters.flush()
    assert Counters(database).get("n_total") == 3
    assert counters.get("n_total") == 3


def test_two_processes_count_into_one_total(database: Database) -> None:
    one, other = Counters(database), Counters(database)
    one.add("n_total", 1)
    other.add("n_total", 10)
    one.flush()
    other.flush()
    assert Counters(database).get("n_total") == 11


def test_the_start_of_counting_is_kept(database: Database) -> None:
    counters = Counters(database)
    counters.begin(100.0)
    counters.flush()
    again = Counters(database)
    again.begin(200.0)
    assert again.get(SINCE) == 100.0


def test_gauges_of_a_name_are_dropped_together(database: Database) -> None:
    counters = Counters(database)
    counters.set("age_seconds", 1, series="a")
    counters.set("age_seconds", 2, series="b")
    counters.set("age", 3)
    counters.forget("age_seconds")
    assert [one.name for one in counters] == ["age"]


def test_the_quarantine_keeps_the_last_thousand(database: Database) -> None:
    quarantine = Quarantine(database)
    for start in range(0, 1200, 100):
        quarantine.put(
            [Refused(n, "a", "http", "wrong", str(n)) for n in range(start, start + 100)]
        )
    kept = quarantine.last(5000)
    assert [one.content for one in kept] == [str(n) for n in range(1199, 199, -1)]
    assert quarantine.last(1) == [Refused(1199, "a", "http", "wrong", "1199")]


def test_the_newest_forecast_is_found_and_sixty_four_are_kept(database: Database) -> None:
    forecasts = Forecasts(database)
    for origin in range(100):
        forecasts.put("a", origin, origin + 10, str(origin).encode())
    assert forecasts.latest("a") == b"99"
    assert len(forecasts.over("a", 10_000)) == 64
    assert forecasts.latest("b") is None


def test_a_forecast_of_the_same_origin_takes_its_place(database: Database) -> None:
    forecasts = Forecasts(database)
    forecasts.put("a", 0, 10, b"old")
    forecasts.score("a", 0, "m", {})
    forecasts.put("a", 0, 10, b"new")
    assert forecasts.over("a", 10) == [b"new"]


def test_forecasts_of_a_future_that_was_none_go(database: Database) -> None:
    forecasts = Forecasts(database)
    forecasts.put("a", 10**9, 10**9 + 10, b"a year ahead")
    forecasts.put("b", 10**9, 10**9 + 10, b"another series")
    forecasts.put("a", 5, 15, b"now")
    assert forecasts.latest("a") == b"now"
    assert forecasts.latest("b") == b"another series"


def test_a_forecast_is_scored_once_it_is_over_and_once(database: Database) -> None:
    forecasts = Forecasts(database)
    forecasts.put("a", 0, 10, b"first")
    forecasts.put("a", 5, 15, b"second")
    assert forecasts.over("a", 9) == []
    assert forecasts.over("a", 15) == [b"first", b"second"]
    forecasts.score("a", 0, "m", {3: Error(3, 2, 1.5, -0.5)})
    assert forecasts.over("a", 15) == [b"second"]
    assert forecasts.errors("a", "m") == {3: Error(3, 2, 1.5, -0.5)}
    assert forecasts.errors("a", "other") == {}


def test_drift_is_kept_by_series(database: Database) -> None:
    forecasts = Forecasts(database)
    assert forecasts.drift("a") is None
    forecasts.put_drift("a", '{"x":1}')
    forecasts.put_drift("a", '{"x":2}')
    assert forecasts.drift("a") == b'{"x":2}'
    assert forecasts.drift("b") is None


@pytest.mark.parametrize("count", [0, 1, 150])
def test_no_more_refusals_come_than_asked_for(database: Database, count: int) -> None:
    quarantine = Quarantine(database)
    quarantine.put([Refused(n, "a", "mqtt", "why", "") for n in range(100)])
    assert len(quarantine.last(count)) == min(count, 100)
