"""Messages that wait for the broker: sent in order, deleted when it has them, within bounds."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from frugal_edge.store.database import Database


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish."""

    topic: str
    payload: bytes
    retain: bool = False
    id: int = 0  # given by the outbox

    @property
    def size(self) -> int:
        """What it takes: topic and payload [bytes]."""
        return len(self.topic.encode()) + len(self.payload)


class Outbox:
    """The messages in a database.

    Parameters
    ----------
    database
        Of the gateway.
    most_messages, most_bytes
        What may wait at a time, topics and payloads; beyond, the oldest are dropped.
    """

    def __init__(self, database: Database, most_messages: int, most_bytes: int) -> None:
        self._database = database
        self._most_messages = most_messages
        self._most_bytes = most_bytes

    def put(self, messages: Sequence[Message], created: int) -> int:
        """Let messages wait, whole or not at all; return how many were dropped for them.

        They outlive a power cut. One that is larger than all that may wait is dropped itself.
        """
        fit = [one for one in messages if one.size <= self._most_bytes]
        with self._database.writing(durable=True) as connection:
            connection.executemany(
                "INSERT INTO outbox (created, topic, payload, retain) VALUES (?, ?, ?, ?)",
                [(created, one.topic, one.payload, int(one.retain)) for one in fit],
            )
            dropped = self._trim(connection)
        return dropped + len(messages) - len(fit)

    def _trim(self, connection: sqlite3.Connection) -> int:
        count, size = connection.execute(
            "SELECT count(*), total(length(CAST(topic AS BLOB)) + length(payload)) FROM outbox"
        ).fetchone()
        if count <= self._most_messages and size <= self._most_bytes:
            return 0
        # counted from the newest backwards: what comes after the bound is reached goes
        return connection.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM ("
            "SELECT id, row_number() OVER (ORDER BY id DESC) AS place,"
            " sum(length(CAST(topic AS BLOB)) + length(payload)) OVER (ORDER BY id DESC) AS size"
            " FROM outbox) WHERE place > ? OR size > ?)",
            (self._most_messages, self._most_bytes),
        ).rowcount

    def head(self, count: int = 100) -> list[Message]:
        """Return the oldest messages, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT topic, payload, retain, id FROM outbox ORDER BY id LIMIT ?", (count,)
            ).fetchall()
        return [Message(topic, payload, bool(retain), key) for topic, payload, retain, key in rows]

    def done(self, message: Message) -> None:
        """Forget a message that the broker has."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM outbox WHERE id = ?", (message.id,))

    def size(self) -> int:
        """Return how many messages wait."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM outbox").fetchone()[0])
