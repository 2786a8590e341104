"""The shape of the Green Software Foundation's Carbon Aware SDK: read, and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from frugal_ai.cost.intensity.point import Base, Point, ordered, stamp
from frugal_ai.cost.intensity.provider import Asks, entries, instant, number, within
from frugal_ai.errors import CostError

NAME = "Carbon Aware SDK"
_MINUTE = 60


@dataclass(frozen=True)
class CarbonAwareSdk:
    """A location, such as francecentral, asked for its forecast.

    The SDK passes on what its own source says and does not tell what that counts: `base` does.
    """

    location: str
    client: Asks
    base: Base

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Ask for the current forecast of a location.

        Raises
        ------
        CostError
            If the answer is not of the documented shape.
        FetchError
            If the service cannot be reached or refuses.
        """
        params = {"location": self.location}
        answer, _ = self.client.get_json("emissions/forecasts/current", params)
        return within(parse(answer, self.base), start, end)


def parse(answer: Any, base: Base) -> tuple[Point, ...]:
    """Read a forecast: ``[{windowSize, forecastData: [{timestamp, duration, value}], ...}]``.

    With a window longer than the step of the data, values are means over windows that overlap;
    these are refused, since nothing shorter can be read off them.

    Raises
    ------
    CostError
        If the answer is not of this shape, or intervals overlap.
    """
    one = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    return ordered(
        [
            Point(
                instant(data.get("timestamp"), f"{NAME}: timestamp"),
                round(_MINUTE * number(data.get("duration"), f"{NAME}: duration")),
                number(data.get("value"), f"{NAME}: value"),
                base,
                estimated=True,
                source=NAME,
            )
            for data in entries(one, "forecastData", NAME)
        ]
    )


def written(
    points: Sequence[Point], location: str, asked: datetime, best: tuple[datetime, int, float]
) -> dict[str, Any]:
    """Write a forecast and its best window as the SDK does.

    Parameters
    ----------
    points
        The forecast.
    location
        Name of the place.
    asked
        When it was asked for.
    best
        Start, length [s] and mean intensity [gCO2e/kWh] of the best window.

    Raises
    ------
    CostError
        If there are no points.
    """
    if not points:
        raise CostError(f"{NAME}: expected points, got none")
    start, seconds, mean = best
    return {
        "requestedAt": stamp(asked),
        "location": location,
        "dataStartAt": stamp(points[0].start_utc),
        "dataEndAt": stamp(points[-1].end_utc),
        "windowSize": seconds / _MINUTE,
        "optimalDataPoints": [_data(location, start, seconds, mean)],
        "forecastData": [
            _data(location, one.start_utc, one.duration_s, one.g_per_kwh) for one in points
        ],
    }


def _data(location: str, at: datetime, seconds: int, value: float) -> dict[str, Any]:
    return {
        "location": location,
        "timestamp": stamp(at),
        "duration": seconds / _MINUTE,
        "value": round(value, 3),
    }
