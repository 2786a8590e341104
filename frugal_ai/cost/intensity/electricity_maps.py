"""Electricity Maps: average intensity of what a zone consumes, observed or forecast."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from frugal_ai.cost.intensity.point import Base, Basis, Point, ordered
from frugal_ai.cost.intensity.provider import (
    Asks,
    entries,
    instant,
    number,
    step_of,
    within,
)
from frugal_ai.errors import CostError

URL = "https://api.electricitymap.org/v3"
TOKEN = "ELECTRICITY_MAPS_TOKEN"  # noqa: S105 - the variable's name, not the token
HEADER = "auth-token"
NAME = "Electricity Maps"


@dataclass(frozen=True)
class ElectricityMaps:
    """A zone, such as FR, asked for its forecast or its last 24 hours.

    The forecast's answer does not say which emission factors it is of; `basis` does.
    """

    zone: str
    client: Asks
    what: Literal["forecast", "history"] = "forecast"
    basis: Basis = "lifecycle"

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Ask for a zone.

        Raises
        ------
        CostError
            If the answer is not of the documented shape.
        FetchError
            If the service cannot be reached or refuses.
        """
        params = {"zone": self.zone, "emissionFactorType": self.basis}
        answer, _ = self.client.get_json(f"carbon-intensity/{self.what}", params)
        return within(parse(answer, self.basis), start, end)


def parse(answer: Any, basis: Basis = "lifecycle") -> tuple[Point, ...]:
    """Read an answer: ``{zone, forecast|history: [{datetime, carbonIntensity, ...}]}``.

    Parameters
    ----------
    answer
        JSON of the service.
    basis
        Of entries without ``emissionFactorType``.

    Raises
    ------
    CostError
        If the answer is not of this shape, or mixes emission factors.
    """
    key = "forecast" if isinstance(answer, dict) and "forecast" in answer else "history"
    found = entries(answer, key, NAME)
    times = [instant(one.get("datetime"), f"{NAME}: datetime") for one in found]
    step = step_of(sorted(times), NAME)
    return ordered(
        [
            _point(one, at, step, basis, predicted=key == "forecast")
            for one, at in zip(found, times, strict=True)
            if one.get("carbonIntensity") is not None
        ]
    )


def _point(one: dict[str, Any], at: datetime, step: int, basis: Basis, *, predicted: bool) -> Point:
    given = one.get("emissionFactorType", basis)
    if given not in get_args(Basis):
        raise CostError(f"{NAME}: emissionFactorType: expected direct or lifecycle, got {given!r}")
    return Point(
        at,
        step,
        number(one["carbonIntensity"], f"{NAME}: carbonIntensity"),
        Base(cast(Basis, given), "average", "consumption"),
        estimated=predicted or bool(one.get("isEstimated", False)),
        source=NAME,
    )
