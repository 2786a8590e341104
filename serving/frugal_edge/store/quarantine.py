"""What was refused, with the reason, until newer refusals push it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from frugal_edge.store.database import Database

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that was not stored."""

    received: int  # [unix s]
    series: str
    source: str
    reason: str
    content: str


class Quarantine:
    """The refusals in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, refusals: Sequence[Refused]) -> None:
        """Keep refusals, the last of them if they are many, and others while there is room."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO quarantine (received, series, source, reason, content)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (one.received, one.series, one.source, one.reason, one.content)
                    for one in refusals[-_KEPT:]
                ],
            )
            connection.execute(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (_KEPT,)
            )

    def last(self, count: int = 20) -> list[Refused]:
        """Return the newest refusals, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT received, series, source, reason, content FROM quarantine"
                " ORDER BY id DESC LIMIT ?",
                (count,),
            ).fetchall()
        return [Refused(*row) for row in rows]
