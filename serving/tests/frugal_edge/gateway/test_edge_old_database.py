"""A gateway on the database of an older frugal-edge: nothing is lost, and it goes on."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.errors import StoreError
from frugal_edge.quality import Quality
from frugal_edge.store import database
from frugal_edge.store.database import NAME, VERSION
from frugal_edge.store.outbox import Message, Outbox
from frugal_edge.store.sent import Sent

ORIGIN, DAY = 1_717_192_800, 86400

# as version 1 wrote it; never to be changed with the code
VERSION_1 = """
CREATE TABLE reading (
    series TEXT NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (series, name, time)
) WITHOUT ROWID;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, received INTEGER NOT NULL, series TEXT NOT NULL, source TEXT NOT NULL,
    reason TEXT NOT NULL, content TEXT NOT NULL
);
CREATE TABLE forecast (
    series TEXT NOT NULL, origin INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL,
    scored INTEGER NOT NULL,
    PRIMARY KEY (series, origin)
) WITHOUT ROWID;
CREATE TABLE accuracy (
    series TEXT NOT NULL, model TEXT NOT NULL, lead INTEGER NOT NULL, count INTEGER NOT NULL,
    error REAL NOT NULL, bias REAL NOT NULL,
    PRIMARY KEY (series, model, lead)
) WITHOUT ROWID;
CREATE TABLE drift (series TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, topic TEXT NOT NULL,
    payload BLOB NOT NULL, retain INTEGER NOT NULL
);
CREATE TABLE sent (topic TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (
    name TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (name, labels)
) WITHOUT ROWID;
"""
TABLES = ("reading", "quarantine", "forecast", "accuracy", "drift", "outbox", "sent", "counter")


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all tables that version 1 had."""
    connection = sqlite3.connect(path)
    rows = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608 - names from above
    connection.close()
    return rows


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(found)


@pytest.fixture
def old(site: Any, readings_of_days: Callable[..., dict[int, float]]) -> dict[str, list[Any]]:
    """Let a gateway work for two days, and leave its database as version 1 would have it."""
    site.install(site.bundle(("history", "drift"), offsets={0.1: -1.0, 0.5: 0.0, 0.9: 1.0}))
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    site.now += DAY
    site.feed(gateway, readings_of_days(1, end=ORIGIN + DAY))
    site.feed(gateway, {ORIGIN: 1e9})  # goes to quarantine
    gateway.cycle()
    site.now += 1800  # the forecast of the day before is over now, and scored
    gateway.cycle()
    Outbox(gateway.stores.database, 10, 1000).put([Message("a/b", b"waits", retain=True)], 0)
    Sent(gateway.stores.database).put("a/b", b"waits")
    site.close()
    path = site.state / NAME
    rows = content(path)
    assert [table for table, found in rows.items() if not found] == []  # all have what to lose
    path.unlink()
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; {VERSION_1} PRAGMA user_version = 1;")
    for table, found in rows.items():
        marks = ", ".join("?" * len(found[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", found)  # noqa: S608 - names from above
    connection.commit()
    connection.close()
    return rows


def test_nothing_is_lost_and_the_gateway_goes_on(
    site: Any, old: dict[str, list[Any]], readings_of_days: Callable[..., dict[int, float]]
) -> None:
    path = site.state / NAME
    counted = 2  # forecasts so far
    gateway = site.open()
    assert gateway.body("feeder") == max(old["forecast"], key=lambda row: row[1])[3]
    label = {"series": "feeder", "model": gateway.installed.loaded["feeder"].forecaster.manifest.id}
    assert gateway.stores.counters.get("forecasts_total", quality="model", **label) == counted
    assert gateway.stores.database.set_aside is None
    site.close()
    assert version(path) == VERSION
    assert content(path) == old
    gateway = site.open()
    site.now += DAY
    site.feed(gateway, readings_of_days(1, end=ORIGIN + 2 * DAY))
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.origin) == (Quality.MODEL, ORIGIN + 2 * DAY)
    assert gateway.stores.counters.get("forecasts_total", quality="model", **label) == counted + 1
    outbox = Outbox(gateway.stores.database, 10, 1000)
    assert [one.payload for one in outbox.head()] == [b"waits"]


def test_an_upgrade_that_fails_leaves_the_old_file(
    site: Any, old: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*database._STEPS, "CREATE TABLE later (id INTEGER); NONSENSE")
    with monkeypatch.context() as patched:
        patched.setattr(database, "_STEPS", steps)
        patched.setattr(database, "VERSION", len(steps))
        with pytest.raises(StoreError, match="cannot be opened"):
            site.open()
    assert version(site.state / NAME) == 1
    assert content(site.state / NAME) == old
    assert site.open().stores.database.set_aside is None
