"""More of anything never costs less; scenarios are the long way round, in one go."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.bill.amount import Amount
from frugal_ai.bill.basis import Basis, Rates
from frugal_ai.bill.compose import compose
from frugal_ai.bill.evaluate import Line, evaluate, summed
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.bill.park import Park
from frugal_ai.cost.factors import Factors
from frugal_ai.errors import CostError

NAMES = [one.name for kind in (Park, Rates) for one in fields(kind)]
LESS = {"lifetime_years"}  # the one figure of which more costs less
MORE = st.floats(1, 100)


def figures(amount: Amount) -> list[float]:
    return [float(np.ravel(one)[0]) for one in (amount.kwh, amount.gco2e, amount.eur)]


@settings(deadline=None)
@given(st.sampled_from(NAMES), MORE)
def test_more_of_anything_never_costs_less(basis: Basis, name: str, times: float) -> None:
    before, after = evaluate(basis), evaluate(basis, {name: 1 / times if name in LESS else times})
    for line, amount in before.items():
        for less, more in zip(figures(amount), figures(after[line]), strict=True):
            assert more >= less * (1 - 1e-12), (line, name)


@settings(deadline=None)
@given(st.floats(0.5, 30), MORE)
def test_longer_life_is_never_more_embodied_a_year(
    basis: Basis, years: float, times: float
) -> None:
    line = Line("embodied", "gateways")
    short = evaluate(basis, {"lifetime_years": years})[line].gco2e
    long = evaluate(basis, {"lifetime_years": years * times})[line].gco2e
    assert long <= short


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.floats(0.1, 10), min_size=3, max_size=3),
                       min_size=1, max_size=6))  # fmt: skip
def test_scenarios_at_once_are_those_one_by_one(
    basis: Basis, changes: dict[str, list[float]]
) -> None:
    together = summed(evaluate(basis, {name: np.array(one) for name, one in changes.items()}))
    for at in range(3):
        alone = summed(evaluate(basis, {name: one[at] for name, one in changes.items()}))
        for many, one in ((together.gco2e, alone.gco2e), (together.eur, alone.eur)):
            assert np.broadcast_to(many, (3,))[at] == pytest.approx(one)


def test_twice_the_gateways_are_twice_what_gateways_cost(basis: Basis) -> None:
    one, two = evaluate(basis), evaluate(basis, {"gateways": 2.0})
    for line in one:
        fixed = line.what in {"run", "servers of the run", "servers", "servers of retraining",
                              "server"}  # fmt: skip
        assert two[line].gco2e == pytest.approx((1 if fixed else 2) * float(one[line].gco2e))


def test_marginal_gateways_are_charged_neither_rest_nor_manufacture(
    fleet_of: Callable[..., Fleet], model_of: Callable[..., Model], factors: Factors
) -> None:
    fleet = fleet_of(allocation={"rule": "marginal"})
    lines = evaluate(compose(fleet, model_of(), factors))
    assert lines[Line("idle", "gateways")].gco2e == 0
    assert lines[Line("embodied", "gateways")].gco2e == 0
    assert float(lines[Line("inference", "gateways")].gco2e) > 0
    assert float(lines[Line("transport", "uplink")].gco2e) > 0


def test_kinds_of_gateways_add_up(
    fleet_of: Callable[..., Fleet], model_of: Callable[..., Model], factors: Factors,
    settings_of: Callable[..., dict[str, Any]],
) -> None:  # fmt: skip
    kind = settings_of()["gateways"]
    other = kind | {"count": 7, "lifetime_years": 3, "idle_w": 1, "uplink_bytes_per_day": 5}

    def line(name: Line, *kinds: dict[str, Any]) -> float:
        fleet = fleet_of(gateways=list(kinds))
        return float(evaluate(compose(fleet, model_of(), factors))[name].gco2e)

    for name in (Line("idle", "gateways"), Line("embodied", "gateways"),
                 Line("transport", "uplink"), Line("deployment", "pushes")):  # fmt: skip
        assert line(name, kind, other) == pytest.approx(line(name, kind) + line(name, other))


def test_unknown_name_is_refused(basis: Basis) -> None:
    with pytest.raises(CostError, match="expected names of a park or of rates, got 'moon'"):
        evaluate(basis, {"moon": 2.0})


def test_unknown_price_leaves_emissions_alone(basis: Basis) -> None:
    rates = replace(basis.rates, eur_per_kwh=float("nan"))
    known, unknown = summed(evaluate(basis)), summed(evaluate(replace(basis, rates=rates)))
    assert np.isnan(unknown.eur)
    assert unknown.gco2e == known.gco2e
