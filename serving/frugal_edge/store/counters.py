"""Counts that outlive the process: forecasts, energy, bytes; and gauges that do not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from frugal_edge.store.database import Database

SINCE = "counting_since_timestamp_seconds"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A number with its labels."""

    name: str
    labels: Mapping[str, str]
    value: float


class Counters:
    """Counters of a gateway; they are written with `flush`, whole or not at all.

    Names and units are those of Prometheus: ``_total`` for what only rises, base units.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fresh: dict[tuple[str, Labels], float] = {}
        self._gauges: dict[tuple[str, Labels], float] = {}
        with database.reading() as connection:
            rows = connection.execute("SELECT name, labels, value FROM counter").fetchall()
        self._total: dict[tuple[str, Labels], float] = {
            (name, tuple(sorted(json.loads(labels).items()))): value for name, labels, value in rows
        }

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Raise a counter."""
        key = name, tuple(sorted(labels.items()))
        self._total[key] = self._total.get(key, 0.0) + amount
        self._fresh[key] = self._fresh.get(key, 0.0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._gauges[name, tuple(sorted(labels.items()))] = value

    def forget(self, name: str) -> None:
        """Drop all gauges of a name, before they are set anew."""
        self._gauges = {key: value for key, value in self._gauges.items() if key[0] != name}

    def get(self, name: str, **labels: str) -> float:
        """Return a counter or gauge, 0 where it was never touched."""
        key = name, tuple(sorted(labels.items()))
        return self._gauges.get(key, self._total.get(key, 0.0))

    def __iter__(self) -> Iterator[Count]:
        """Give out all counters and gauges, by name."""
        for (name, labels), value in sorted((self._total | self._gauges).items()):
            yield Count(name, dict(labels), value)

    def begin(self, now: float) -> None:
        """Remember when counting began [unix s], if that is not known."""
        if not self.get(SINCE):
            self.add(SINCE, now)

    def flush(self) -> None:
        """Write what was counted since the last time."""
        if not self._fresh:
            return
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO counter VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET value = value + excluded.value",
                [
                    (name, json.dumps(dict(labels)), value)
                    for (name, labels), value in self._fresh.items()
                ],
            )
        self._fresh.clear()
