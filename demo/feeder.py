"""The simulated feeder: what its meter reads, and the weather forecast that goes with it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

import numpy as np
from frugal_edge.clock import format_time
from numpy.typing import NDArray

from frugal_ai.data.source import Request
from frugal_ai.data.sources.sample import Source

SERIES = "feeder_load"
UNIT = "MW"
STEP = 1800
DAY = 86400
WEATHER = ("temperature", "cloud_cover", "wind_speed")
HISTORY_DAYS = 29  # a day more than the model looks back
_FIRST = date(2026, 12, 1)
_MIDNIGHT = 23 * 3600  # UTC, of the next day in Paris, in winter

Row = dict[str, object]


@dataclass(frozen=True)
class Feeder:
    """Values [T] and weather [T, 3] of the intervals from `start` [unix s] on."""

    start: int
    values: NDArray[np.float64]
    weather: NDArray[np.float64]
    first: int  # midnight at which the demonstration begins [unix s]

    @classmethod
    def simulate(cls, days: int) -> Self:
        """Simulate so many days and what the model needs before and after them."""
        begin = _FIRST - timedelta(days=HISTORY_DAYS + 1)
        source = Source(first=begin, last=_FIRST + timedelta(days=days + 2))
        request = Request(series=(SERIES,), step_s=STEP, tell=lambda _: None, known=WEATHER)
        panel = source.load(request)
        first = datetime(_FIRST.year, _FIRST.month, _FIRST.day, tzinfo=UTC).timestamp()
        return cls(panel.start, panel.values[0], panel.known[0], int(first) - DAY + _MIDNIGHT)

    def readings(self, since: int, until: int) -> list[Row]:
        """Return what the meter reads in some intervals."""
        return [
            {"timestamp": format_time(time), "value": float(self.values[self._index(time)])}
            for time in range(since, until, STEP)
        ]

    def forecast(self, since: int, until: int) -> list[Row]:
        """Return the weather forecast for some intervals, a perfect one."""
        return [
            {
                "timestamp": format_time(time),
                **dict(zip(WEATHER, self.weather[self._index(time)].tolist(), strict=True)),
            }
            for time in range(since, until, STEP)
        ]

    def came(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values of intervals [H]."""
        return self.values[(times - self.start) // STEP]

    def _index(self, time: int) -> int:
        return (time - self.start) // STEP
