from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from frugal_ai.bill.bill import make_bill
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.weigh import RungWork, weigh
from frugal_ai.cost.factors import Factors

Fleets = Callable[..., Fleet]
WORK = RungWork(
    dynamic_j=30.0, idle_j=10.0, vcpu_h=0.01, cpu_s=1e-3, size=50_000, spread=0.05, country="FRA",
    pue=1.5,
)  # fmt: skip


def test_own_and_common_are_the_whole_bill(
    fleet_of: Fleets, model_of: Callable[..., Any], factors: Factors
) -> None:
    from frugal_ai.bill.basis import Work

    made = Work(40 / 3.6e6, 0.01)
    model = model_of(run={"training": made}, retraining=made, bundle_bytes=50_000)
    bill = make_bill(fleet_of(), model, factors)
    weight = weigh(WORK, fleet_of(), factors)
    assert weight.own_g + weight.common_g == pytest.approx(bill.whole.gco2e)
    assert weight.own_g == pytest.approx(bill.own_g)
    assert weight.dynamic_g < weight.own_g


@pytest.mark.parametrize("name", ["dynamic_j", "cpu_s", "size"])
def test_more_work_never_weighs_less(fleet_of: Fleets, factors: Factors, name: str) -> None:
    more = replace(WORK, **{name: type(getattr(WORK, name))(2 * getattr(WORK, name))})
    little, much = (weigh(work, fleet_of(), factors) for work in (WORK, more))
    assert much.dynamic_g > little.dynamic_g
    assert much.own_g > little.own_g
    assert much.common_g == pytest.approx(little.common_g, rel=1e-9)


def test_idle_share_does_not_rank(fleet_of: Fleets, factors: Factors) -> None:
    busy = weigh(replace(WORK, idle_j=100.0), fleet_of(), factors)
    assert busy.dynamic_g == weigh(WORK, fleet_of(), factors).dynamic_g


def test_what_a_fleet_asks_most_for_decides(fleet_of: Fleets, factors: Factors) -> None:
    """A rung that is dear to make and cheap to ask wins where it is asked a lot, and loses else."""
    made = replace(WORK, dynamic_j=3000.0, cpu_s=1e-5, size=0)
    asked = replace(WORK, dynamic_j=3.0, cpu_s=1e-2, size=0)
    never = {"retrain_every": None, "gateways__forecasts_per_day": 1, "gateways__count": 1}
    often = {"retrain_every": None, "gateways__forecasts_per_day": 1440, "gateways__count": 10_000}
    daily = often | {"retrain_every": "1d", "gateways__count": 1, "gateways__forecasts_per_day": 1}

    def better(changes: dict[str, Any]) -> RungWork:
        return min((made, asked), key=lambda one: weigh(one, fleet_of(**changes), factors).own_g)

    assert better(often) is made
    assert better(never) is asked
    assert better(daily) is asked


def test_measured_spread_counts_as_far_as_it_was_measured(
    fleet_of: Fleets, factors: Factors
) -> None:
    pushes = weigh(replace(WORK, size=10**9), fleet_of(), factors)
    assert 0 < pushes.spread < 0.001
    assert weigh(replace(WORK, size=0), fleet_of(), factors).spread == pytest.approx(0.05)
