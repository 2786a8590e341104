"""The contract of a provider of grid intensity."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol

from frugal_ai.cost.intensity.point import Point
from frugal_ai.errors import CostError


class Provider(Protocol):
    """Says what carbon intensity is, was or will be."""

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Return what is known of a span of time, in order; less than the span if it ends before.

        Raises
        ------
        FrugalError
            If the provider cannot be read or does not answer as it should.
        """
        ...


class Asks(Protocol):
    """Asks a service for JSON; the client of `frugal_ai.data.remote.http` does."""

    def get_json(self, path: str, params: Mapping[str, str]) -> tuple[Any, str]:
        """Return an answer and the address that it came from."""
        ...


def token(variable: str, service: str) -> str:
    """Read a service's token from the environment.

    Raises
    ------
    CostError
        If it is not there.
    """
    found = os.environ.get(variable, "").strip()
    if not found:
        raise CostError(
            f"{service}: expected a token in the environment variable {variable}, it is not set"
        )
    return found


def within(points: tuple[Point, ...], start: datetime, end: datetime) -> tuple[Point, ...]:
    """Keep the points that touch a span of time."""
    return tuple(point for point in points if point.end_utc > start and point.start_utc < end)


def instant(value: Any, where: str) -> datetime:
    """Read a time with its offset as services write it.

    Raises
    ------
    CostError
        If it is none.
    """
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise CostError(f"{where}: expected a time with an offset, got {value!r}")
    return found.astimezone(UTC)


def number(value: Any, where: str) -> float:
    """Read a number.

    Raises
    ------
    CostError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CostError(f"{where}: expected a number, got {value!r}")
    return float(value)


def entries(answer: Any, key: str, where: str) -> list[dict[str, Any]]:
    """Return the list of objects under a key of an answer.

    Raises
    ------
    CostError
        If there is none.
    """
    found = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(e, dict) for e in found):
        raise CostError(f"{where}: expected a list of objects under {key!r}, got {answer!s:.100}")
    return found


def step_of(times: list[datetime], where: str) -> int:
    """Return the time between neighbours [s], of an answer that does not say it.

    Raises
    ------
    CostError
        If there are fewer than two, or they are not in order.
    """
    gaps = [int((b - a) / timedelta(seconds=1)) for a, b in pairwise(times)]
    if not gaps or min(gaps) <= 0:
        raise CostError(f"{where}: expected two or more times in ascending order, got {len(times)}")
    return min(gaps)
