from pathlib import Path
from typing import Any

import pytest
from frugal_edge.store.database import Database
from frugal_edge.store.outbox import Message, Outbox


@pytest.fixture
def database(tmp_path: Path) -> Any:
    database = Database(tmp_path)
    yield database
    database.close()


def messages(first: int, last: int, size: int = 10) -> list[Message]:
    return [Message(f"t/{n}", bytes(size)) for n in range(first, last)]


def waiting(outbox: Outbox) -> list[str]:
    return [one.topic for one in outbox.head(1000)]


def test_first_in_first_out(database: Database) -> None:
    outbox = Outbox(database, 100, 1 << 20)
    assert outbox.put(messages(0, 3), 0) == 0
    assert outbox.put(messages(3, 5), 0) == 0
    assert waiting(outbox) == ["t/0", "t/1", "t/2", "t/3", "t/4"]
    outbox.done(outbox.head()[0])
    assert waiting(outbox) == ["t/1", "t/2", "t/3", "t/4"]
    assert outbox.size() == 4


def test_the_oldest_give_way_by_number(database: Database) -> None:
    outbox = Outbox(database, 3, 1 << 20)
    assert outbox.put(messages(0, 5), 0) == 2
    assert outbox.put(messages(5, 6), 0) == 1
    assert waiting(outbox) == ["t/3", "t/4", "t/5"]


def test_the_oldest_give_way_by_bytes(database: Database) -> None:
    outbox = Outbox(database, 100, 3 * (10 + len("t/0")))
    assert outbox.put(messages(0, 5), 0) == 2
    assert waiting(outbox) == ["t/2", "t/3", "t/4"]


def test_what_never_fits_is_dropped_alone(database: Database) -> None:
    outbox = Outbox(database, 100, 100)
    outbox.put(messages(0, 2), 0)
    assert outbox.put([Message("t/big", bytes(101))], 0) == 1
    assert waiting(outbox) == ["t/0", "t/1"]


def test_numbers_never_come_twice(database: Database) -> None:
    outbox = Outbox(database, 100, 1 << 20)
    outbox.put(messages(0, 1), 0)
    (first,) = outbox.head()
    outbox.done(first)
    outbox.put(messages(1, 2), 0)
    assert outbox.head()[0].id > first.id


def test_messages_are_on_the_disk_before_the_call_returns(
    database: Database, tmp_path: Path
) -> None:
    with database.writing(durable=True) as connection:
        inside = connection.execute("PRAGMA synchronous").fetchone()
    with database.reading() as connection:
        outside = connection.execute("PRAGMA synchronous").fetchone()
    assert (inside, outside) == ((2,), (1,))  # FULL, NORMAL
    Outbox(database, 10, 1000).put(messages(0, 1), 0)
    other = Database(tmp_path)
    assert Outbox(other, 10, 1000).size() == 1
    other.close()
