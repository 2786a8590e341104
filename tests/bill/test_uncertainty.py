"""Closed form against simulation; what two bills share cancels in their ratio."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from frugal_ai.bill.basis import UNCERTAIN, Basis, Driver, Kind
from frugal_ai.bill.compose import compose
from frugal_ai.bill.evaluate import summed
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.bill.uncertainty import ratio, simulate, swing
from frugal_ai.cost.factors import Factors

DRAWS = 40_000
FACTORS: tuple[Kind, ...] = ("factors",)
Fleets = Callable[..., Fleet]
Models = Callable[..., Model]


def driver(key: str, name: str, low: float, high: float, kind: Kind = "factors") -> Driver:
    return Driver(key, key, (name,), kind, low, high, 1.0, "1", "test 2026")


@pytest.mark.parametrize(("low", "high"), [(0.4, 2.5), (0.39, 1.75), (0.9, 1.0), (0.07, 16.0)])
def test_one_driver_on_the_whole_line_is_exact(basis: Basis, low: float, high: float) -> None:
    one = replace(basis, drivers=(driver("a", "g_per_vcpu_h", low, high),))
    line = next(line for line in swing(one).lines if line.what == "server" and
                line.stage == "embodied")  # fmt: skip
    swings = swing(one)
    closed = swings.ranges(swings.lines[line].gco2e)["factors"]
    drawn = np.asarray(simulate(one, FACTORS, DRAWS)[line].gco2e)
    value = float(np.ravel(swings.lines[line].gco2e)[0])
    assert (closed.low, closed.high) == pytest.approx((value * low, value * high))
    assert np.quantile(drawn, (0.05, 0.95)) == pytest.approx((closed.low, closed.high), rel=0.04)


@pytest.mark.parametrize("kind", UNCERTAIN)
def test_ranges_of_a_whole_bill_agree_with_simulation(basis: Basis, kind: Kind) -> None:
    swings = swing(basis)
    closed = swings.ranges(swings.total.gco2e)[kind]
    drawn = np.asarray(summed(simulate(basis, [kind], DRAWS)).gco2e)
    low, high = np.quantile(drawn, (0.05, 0.95))
    width = closed.high - closed.low
    assert width > 0
    assert abs(closed.low - low) < 0.15 * width
    assert abs(closed.high - high) < 0.15 * width


def test_mean_of_simulation_is_that_of_a_lognormal(basis: Basis) -> None:
    one = replace(basis, drivers=(driver("a", "g_per_vcpu_h", 0.5, 2.0),))
    line = next(line for line in swing(one).lines if line.what == "server" and
                line.stage == "embodied")  # fmt: skip
    drawn = np.asarray(simulate(one, FACTORS, DRAWS)[line].gco2e)
    value = float(np.ravel(swing(one).lines[line].gco2e)[0])
    sigma = np.log(2) / 1.6448536269514722
    assert drawn.mean() == pytest.approx(value * np.exp(sigma**2 / 2), rel=0.01)


def test_independent_drivers_add_in_quadrature(basis: Basis) -> None:
    both = (driver("a", "intensity", 0.9, 1.1), driver("b", "idle_w", 0.8, 1.2))

    def width(*drivers: Driver) -> float:
        swings = swing(replace(basis, drivers=drivers))
        ranges = swings.ranges(swings.total.gco2e)["factors"]
        return ranges.high - float(np.ravel(swings.total.gco2e)[0])

    assert width(*both) == pytest.approx(np.hypot(width(both[0]), width(both[1])))


def test_kinds_are_kept_apart(basis: Basis) -> None:
    alone = {
        kind: swing(replace(basis, drivers=tuple(d for d in basis.drivers if d.kind == kind)))
        for kind in UNCERTAIN
    }
    swings = swing(basis)
    for kind, one in alone.items():
        expected = one.ranges(one.total.gco2e)
        assert swings.ranges(swings.total.gco2e)[kind] == expected[kind]
        for other in set(UNCERTAIN) - {kind}:
            assert expected[other].low == expected[other].high


def test_every_range_holds_its_figure(basis: Basis) -> None:
    swings = swing(basis)
    for amount in swings.lines.values():
        value = float(np.ravel(amount.gco2e)[0])
        for ends in swings.ranges(amount.gco2e).values():
            assert ends.low <= value <= ends.high


def test_one_grid_errs_everywhere_alike(
    factors: Factors, fleet_of: Fleets, model_of: Models
) -> None:
    same = compose(fleet_of(server={"country": "FR"}), model_of(), factors)
    grids = [one for one in same.drivers if one.key.startswith("grid_intensity")]
    assert [sorted(one.names) for one in grids] == [
        ["intensity", "run_intensity", "server_intensity"]
    ]
    apart = compose(fleet_of(), model_of(), factors)
    grids = [one for one in apart.drivers if one.key.startswith("grid_intensity")]
    assert {one.key for one in grids} == {"grid_intensity:FRA", "grid_intensity:DEU"}


def test_ratio_is_free_of_what_both_share(
    factors: Factors, fleet_of: Fleets, model_of: Models
) -> None:
    """Two models whose cost is all retraining on one machine: power and grid cancel."""
    fleet = fleet_of(push_every=None, allocation={"rule": "marginal"}, server={"pue": 1.0},
                     gateways__uplink_bytes_per_day=0, gateways__stored_bytes=0,
                     gateways__lines=0)  # fmt: skip
    work = model_of().retraining
    ridge, trees = (
        compose(fleet, model_of(name=name, run={}, retraining=replace(work, kwh=kwh, vcpu_h=0.0),
                                cpu_s=0.0), factors)
        for name, kwh in (("ridge", 1e-3), ("boosting", 3e-3))
    )  # fmt: skip
    value, ranges = ratio(trees, ridge)
    assert value == pytest.approx(3)
    for kind in ("power", "factors"):
        assert (ranges[kind].low, ranges[kind].high) == pytest.approx((3, 3))
    # each rung's repeats are its own: 5 % each, so 7 % of the ratio
    half = 1.6448536269514722 * np.hypot(0.05, 0.05)
    assert np.log(ranges["repeatability"].high / 3) == pytest.approx(half, rel=0.05)
    alone = swing(trees)
    spread = alone.ranges(alone.total.gco2e)["power"]
    assert spread.high / spread.low == pytest.approx(2.5**2)
