from dataclasses import astuple, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.bill.park import Demand, Park

POSITIVE = st.floats(0.01, 1e3)


def park_of(values: list[list[float]]) -> Park:
    names = [field.name for field in fields(Park)]
    return Park(**{name: np.array(row) for name, row in zip(names, values, strict=True)})


@given(st.lists(st.lists(POSITIVE, min_size=3, max_size=3), min_size=13, max_size=13),
       st.lists(POSITIVE, min_size=13, max_size=13))  # fmt: skip
def test_demand_of_a_changed_park_is_that_of_the_park_times_that_of_the_change(
    values: list[list[float]], change: list[float]
) -> None:
    park = park_of(values)
    names = [field.name for field in fields(Park)]
    multipliers = Park(**dict(zip(names, change, strict=True)))
    changed = park_of(
        [[x * factor for x in row] for row, factor in zip(values, change, strict=True)]
    )
    shortcut = Demand.of(park).total().times(Demand.of(multipliers))
    assert astuple(Demand.of(changed).total()) == pytest.approx(astuple(shortcut))


def test_groups_add_up() -> None:
    one = replace(Park.ones(), gateways=3.0, idle_w=2.0)
    two = replace(Park.ones(), gateways=5.0, idle_w=1.0)
    both = replace(Park.ones(), gateways=np.array([3.0, 5.0]), idle_w=np.array([2.0, 1.0]))
    assert Demand.of(both).total().idle_w == Demand.of(one).idle_w + Demand.of(two).idle_w
    assert Demand.of(both).total().idle_w == 11


def test_a_device_is_charged_by_its_lifetime_and_share() -> None:
    park = replace(Park.ones(), gateways=10.0, reserved=0.5, embodied_kg=30.0, lifetime_years=5.0)
    assert Demand.of(park).embodied_kg_per_year == 30
