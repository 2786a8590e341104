"""Forecasts that were issued, the drift of quantiles, and how far forecasts were off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from frugal_edge.store.database import Database

_KEPT = 64  # forecasts of a series


@dataclass(frozen=True, slots=True)
class Error:
    """How far forecasts of a lead time were off lately [unit of the series].

    Attributes
    ----------
    lead
        Steps from the origin to the target, the first is 0.
    count
        Forecasts that were held against a reading.
    error, bias
        Mean absolute difference, and mean of forecast minus reading.
    """

    lead: int
    count: int
    error: float
    bias: float


class Forecasts:
    """The forecasts in a database; a body is the JSON that was given out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, series: str, origin: int, until: int, body: bytes) -> None:
        """Keep a forecast in the place of one from the same origin; the oldest go.

        Those from later origins go too: the clock was wrong when they were made.
        """
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM forecast WHERE series = ? AND origin > ?", (series, origin)
            )
            connection.execute(
                "INSERT OR REPLACE INTO forecast (series, origin, until, body, scored)"
                " VALUES (?, ?, ?, ?, 0)",
                (series, origin, until, body),
            )
            connection.execute(
                "DELETE FROM forecast WHERE series = ? AND origin <= (SELECT origin FROM forecast"
                " WHERE series = ? ORDER BY origin DESC LIMIT 1 OFFSET ?)",
                (series, series, _KEPT),
            )

    def latest(self, series: str) -> bytes | None:
        """Return the forecast of the newest origin."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT body FROM forecast WHERE series = ? ORDER BY origin DESC LIMIT 1", (series,)
            ).fetchone()
        return None if found is None else bytes(found[0])

    def over(self, series: str, now: int) -> list[bytes]:
        """Return the forecasts whose intervals are over and which were not scored yet."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT body FROM forecast"
                " WHERE series = ? AND until <= ? AND scored = 0 ORDER BY origin",
                (series, now),
            ).fetchall()
        return [bytes(body) for (body,) in rows]

    def score(self, series: str, origin: int, model: str, errors: Mapping[int, Error]) -> None:
        """Mark a forecast as scored and keep the errors that follow, whole or not at all."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE forecast SET scored = 1 WHERE series = ? AND origin = ?", (series, origin)
            )
            connection.executemany(
                "INSERT OR REPLACE INTO accuracy (series, model, lead, count, error, bias)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(series, model, e.lead, e.count, e.error, e.bias) for e in errors.values()],
            )

    def errors(self, series: str, model: str) -> dict[int, Error]:
        """Return the errors of a model by lead time."""
        with self._database.reading() as connection:
            rows: Sequence[tuple[int, int, float, float]] = connection.execute(
                "SELECT lead, count, error, bias FROM accuracy WHERE series = ? AND model = ?"
                " ORDER BY lead",
                (series, model),
            ).fetchall()
        return {row[0]: Error(*row) for row in rows}

    def drift(self, series: str) -> bytes | None:
        """Return the state of a series' quantiles, as `frugal_edge.state` writes it."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT state FROM drift WHERE series = ?", (series,)
            ).fetchone()
        return None if found is None else str(found[0]).encode()

    def put_drift(self, series: str, state: str) -> None:
        """Keep the state of a series' quantiles."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO drift VALUES (?, ?)", (series, state))
