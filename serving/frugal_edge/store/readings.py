"""Readings by series, column and time; late and corrected ones take the place of the former."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frugal_edge.store.database import Database
from frugal_edge.table import Table

VALUE = "value"
_NEVER = 2**62  # [unix s]


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a column at the start of an interval [unix s]; None takes back what was there."""

    name: str
    time: int
    value: float | None


class Readings:
    """The readings in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._units: dict[str, str] = {}

    def in_unit(self, series: str, unit: str) -> str | None:
        """Let a series go on in a unit; readings in the one before rest until it is back.

        Returns
        -------
        str or None
            The unit before, where it is another.
        """
        if self._units.get(series) == unit:
            return None
        with self._database.writing() as connection:
            found = connection.execute(
                "SELECT unit FROM unit WHERE series = ?", (series,)
            ).fetchone()
            before = found[0] if found else None
            if before not in (None, unit):
                rename = "UPDATE reading SET series = ? WHERE series = ?"
                connection.execute(rename, (_resting(series, before), series))
                connection.execute(rename, (series, _resting(series, unit)))
            connection.execute("INSERT OR REPLACE INTO unit VALUES (?, ?)", (series, unit))
        self._units[series] = unit
        return None if before == unit else before

    def put(self, series: str, readings: Iterable[Reading], received: int) -> int:
        """Store readings of a series, whole or not at all; return how many changed anything."""
        changed = 0
        with self._database.writing() as connection:
            for one in readings:
                key = (series, one.name, one.time)
                if one.value is None:
                    changed += connection.execute(
                        "DELETE FROM reading WHERE series = ? AND name = ? AND time = ?", key
                    ).rowcount
                    continue
                changed += connection.execute(
                    "INSERT INTO reading VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET value = excluded.value,"
                    " received = excluded.received WHERE value <> excluded.value",
                    (*key, one.value, received),
                ).rowcount
        return changed

    def newest(self, series: str, until: int = _NEVER) -> int | None:
        """Return the time of the last reading of the value, up to a time [unix s]."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT max(time) FROM reading WHERE series = ? AND name = ? AND time <= ?",
                (series, VALUE, until),
            ).fetchone()
        return None if found[0] is None else int(found[0])

    def level(self, series: str, since: int, until: int) -> tuple[int, float]:
        """Return how many readings of the value there are, and their mean size."""
        with self._database.reading() as connection:
            count, mean = connection.execute(
                "SELECT count(*), avg(abs(value)) FROM reading"
                " WHERE series = ? AND name = ? AND time >= ? AND time < ?",
                (series, VALUE, since, until),
            ).fetchone()
        return int(count), float(mean or 0.0)

    def table(self, series: str, names: Sequence[str], since: int, until: int) -> Table | None:
        """Return the rows of some columns, `since <= time < until`, None if there are none."""
        with self._database.reading() as connection:
            found = {
                name: connection.execute(
                    "SELECT time, value FROM reading"
                    " WHERE series = ? AND name = ? AND time >= ? AND time < ? ORDER BY time",
                    (series, name, since, until),
                ).fetchall()
                for name in names
            }
        times = np.unique(np.array([t for rows in found.values() for t, _ in rows], np.int64))
        if not len(times):
            return None
        columns = {}
        for name, rows in found.items():
            column = np.full(len(times), np.nan)
            if rows:
                at = np.searchsorted(times, [time for time, _ in rows])
                column[at] = [value for _, value in rows]
            columns[name] = column
        return Table(Path("readings"), times, columns)

    def trim(self, series: str, before: int) -> int:
        """Forget what is older than a time [unix s]; return how much that was."""
        with self._database.writing() as connection:
            return connection.execute(
                "DELETE FROM reading WHERE series = ? AND time < ?", (series, before)
            ).rowcount


def _resting(series: str, unit: str) -> str:
    return f"{series}\n{unit}"  # no name of a series has two lines
