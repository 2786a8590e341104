"""What was offered last to a broker, by topic: what is told by exception starts from that."""

from frugal_edge.store.database import Database


class Sent:
    """The last contents in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, topic: str) -> bytes | None:
        """Return what was offered last, None if nothing was."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT content FROM sent WHERE topic = ?", (topic,)
            ).fetchone()
        return None if found is None else bytes(found[0])

    def put(self, topic: str, content: bytes) -> None:
        """Remember what is offered now."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO sent VALUES (?, ?)", (topic, content))

    def clear(self) -> None:
        """Forget all: everything is news again."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sent")
