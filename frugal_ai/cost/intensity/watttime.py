"""WattTime: marginal emissions of a grid region's plants [lbs/MWh]."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from frugal_ai.cost.intensity.point import Base, Point, ordered
from frugal_ai.cost.intensity.provider import (
    Asks,
    entries,
    instant,
    number,
    within,
)
from frugal_ai.errors import CostError

URL = "https://api.watttime.org"
TOKEN = "WATTTIME_TOKEN"  # noqa: S105 - the variable's name, not the token
NAME = "WattTime"
BASE = Base("direct", "marginal", "production")
LB_PER_MWH = 0.45359237
"""One pound per MWh [g/kWh]: the international pound is 453.59237 g."""
_UNIT, _SIGNAL = "lbs_co2_per_mwh", "co2_moer"


@dataclass(frozen=True)
class WattTime:
    """A region, such as CAISO_NORTH, asked for its forecast."""

    region: str
    client: Asks

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Ask for the newest forecast of a region.

        Raises
        ------
        CostError
            If the answer is not of the documented shape.
        FetchError
            If the service cannot be reached or refuses.
        """
        params = {"region": self.region, "signal_type": _SIGNAL}
        answer, _ = self.client.get_json("v3/forecast", params)
        return within(parse(answer), start, end)


def parse(answer: Any) -> tuple[Point, ...]:
    """Read an answer of version 3: ``{data: [{point_time, value}], meta: {units, ...}}``.

    Raises
    ------
    CostError
        If the answer is not of this shape or in another unit.
    """
    found = entries(answer, "data", NAME)
    meta = answer.get("meta")
    if not isinstance(meta, dict) or meta.get("units") != _UNIT:
        given = meta.get("units") if isinstance(meta, dict) else None
        raise CostError(f"{NAME}: meta.units: expected {_UNIT}, got {given!r}")
    if meta.get("signal_type", _SIGNAL) != _SIGNAL:
        raise CostError(
            f"{NAME}: meta.signal_type: expected {_SIGNAL}, got {meta['signal_type']!r}"
        )
    step = number(meta.get("data_point_period_seconds"), f"{NAME}: meta.data_point_period_seconds")
    return ordered(
        [
            Point(
                instant(one.get("point_time"), f"{NAME}: point_time"),
                int(step),
                number(one.get("value"), f"{NAME}: value") * LB_PER_MWH,
                BASE,
                estimated=True,
                source=NAME,
            )
            for one in found
        ]
    )
