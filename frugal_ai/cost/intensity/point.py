"""Carbon intensity over an interval, and what kind of figure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from frugal_ai.errors import CostError

Basis = Literal["direct", "lifecycle"]
Kind = Literal["average", "marginal"]
Scope = Literal["production", "consumption"]


@dataclass(frozen=True)
class Base:
    """What an intensity counts; figures that differ in it are not to be compared.

    Attributes
    ----------
    basis
        Combustion alone, or the plants' whole life.
    kind
        Of all that is produced, or of what one kWh more would bring up.
    scope
        Of what is produced in a zone, or of what is consumed there.
    """

    basis: Basis
    kind: Kind
    scope: Scope

    def __str__(self) -> str:
        return f"{self.kind}, {self.basis}, {self.scope}"


@dataclass(frozen=True)
class Point:
    """Carbon intensity of an interval.

    Attributes
    ----------
    start_utc
        Start of the interval.
    duration_s
        Its length [s].
    g_per_kwh
        Mean intensity [gCO2e/kWh].
    base
        What it counts.
    estimated
        Whether it is a forecast or an estimate.
    source
        Who says so.
    low, high
        Where the truth lies in 80 % of cases [gCO2e/kWh]; None where nobody says.
    """

    start_utc: datetime
    duration_s: int
    g_per_kwh: float
    base: Base
    estimated: bool
    source: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.start_utc.utcoffset() != timedelta(0):
            raise CostError(f"{self.source}: expected a time in UTC, got {self.start_utc}")
        if self.duration_s <= 0:
            raise CostError(f"{self.at}: expected a duration above 0 s, got {self.duration_s}")
        if not 0 <= self.g_per_kwh < float("inf"):
            raise CostError(
                f"{self.at}: expected an intensity of 0 gCO2e/kWh or more, got {self.g_per_kwh:g}"
            )

    @property
    def end_utc(self) -> datetime:
        """End of the interval."""
        return self.start_utc + timedelta(seconds=self.duration_s)

    @property
    def at(self) -> str:
        """Source and time, for messages."""
        return f"{self.source}: {stamp(self.start_utc)}"


def stamp(when: datetime) -> str:
    """Write a time in UTC to the second."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def require_one_base(points: Sequence[Point]) -> Base:
    """Return what points count.

    Raises
    ------
    CostError
        If there are none, or they do not all count the same.
    """
    if not points:
        raise CostError("intensity: expected values, got none")
    first = points[0]
    for other in points[1:]:
        if other.base != first.base:
            raise CostError(
                f"intensity: expected figures that count the same, got {first.base} from"
                f" {first.source} and {other.base} from {other.source}"
            )
    return first.base


def ordered(points: Sequence[Point]) -> tuple[Point, ...]:
    """Put points in order of time.

    Raises
    ------
    CostError
        If they do not count the same, or if two overlap, as averages over a moving window do.
    """
    require_one_base(points)
    found = sorted(points, key=lambda point: point.start_utc)
    for before, after in pairwise(found):
        if before.end_utc > after.start_utc:
            raise CostError(
                f"{before.at}: expected intervals that do not overlap, got one of"
                f" {before.duration_s} s and the next at {stamp(after.start_utc)}"
            )
    return tuple(found)
