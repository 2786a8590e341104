from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.cost.intensity.point import Base, Basis, Kind, Point, Scope, ordered
from frugal_ai.errors import CostError

AT = datetime(2023, 3, 1, tzinfo=UTC)
BASES = [Base(*parts) for parts in product(get_args(Basis), get_args(Kind), get_args(Scope))]


def point(hours: float, base: Base = BASES[0], seconds: int = 3600, value: float = 10.0) -> Point:
    at = AT + timedelta(hours=hours)
    return Point(at, seconds, value, base, estimated=False, source=str(base))


@given(st.sampled_from(BASES), st.sampled_from(BASES))
def test_whatever_differs_is_refused(one: Base, other: Base) -> None:
    points = [point(0, one), point(1, other)]
    if one == other:
        assert ordered(points) == tuple(points)
        return
    with pytest.raises(CostError, match="expected figures that count the same") as raised:
        ordered(points)
    assert str(one) in str(raised.value)
    assert str(other) in str(raised.value)


def test_points_are_put_in_order() -> None:
    assert [p.start_utc.hour for p in ordered([point(2), point(0), point(1)])] == [0, 1, 2]


def test_overlapping_points_are_refused() -> None:
    with pytest.raises(CostError, match="do not overlap"):
        ordered([point(0, seconds=3601), point(1)])


def test_no_points_are_refused() -> None:
    with pytest.raises(CostError, match="expected values, got none"):
        ordered([])


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_an_intensity_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(CostError, match="0 gCO2e/kWh or more"):
        point(0, value=value)


def test_a_duration_of_nothing_is_refused() -> None:
    with pytest.raises(CostError, match="duration above 0"):
        point(0, seconds=0)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(CostError, match="time in UTC"):
        Point(datetime(2023, 1, 1), 60, 1.0, BASES[0], estimated=False, source="s")  # noqa: DTZ001 - the mistake
