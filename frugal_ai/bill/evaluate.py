"""From a basis to the lines of a bill, for as many scenarios at once as are asked for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from frugal_ai.bill import stages
from frugal_ai.bill.amount import Amount, Value, total
from frugal_ai.bill.basis import PARK, RATES, Basis, Rates, Work
from frugal_ai.bill.park import Demand, Park
from frugal_ai.cost.record import Stage
from frugal_ai.errors import CostError


class Line(NamedTuple):
    """Name of a line: its stage, and what of it."""

    stage: Stage
    what: str


Lines = dict[Line, Amount]


def evaluate(basis: Basis, changes: Mapping[str, Value] | None = None) -> Lines:
    """Compute every line of a bill.

    Parameters
    ----------
    basis
        What is taken to be so.
    changes
        Multipliers [N] of fields of `Park` and `Rates`, by name: one entry a scenario.

    Returns
    -------
    Lines
        Amounts; where there are changes that concern a line, one for each scenario [N].

    Raises
    ------
    CostError
        If a name is not a field of either.
    """
    demand, rates = _changed(basis, changes or {})
    lines = _run(basis, rates) | _retraining(basis.retraining, rates)
    return lines | _gateways(demand, rates) | _networks(demand, rates) | _servers(demand, rates)


def summed(lines: Lines) -> Amount:
    """Add the lines up."""
    return total(tuple(lines.values()))


def _changed(basis: Basis, changes: Mapping[str, Value]) -> tuple[Demand, Rates]:
    unknown = sorted(changes.keys() - PARK - RATES)
    if unknown:
        raise CostError(f"scenario: expected names of a park or of rates, got {unknown[0]!r}")
    demand = Demand.of(basis.park).total()
    of_park = {name: value for name, value in changes.items() if name in PARK}
    if of_park:
        demand = demand.times(Demand.of(replace(Park.ones(), **of_park)))
    of_rates = {
        name: getattr(basis.rates, name) * value for name, value in changes.items() if name in RATES
    }
    return demand, replace(basis.rates, **of_rates)


def _run(basis: Basis, r: Rates) -> Lines:
    measured = r.repeat * r.run_power * r.run_pue
    found: Lines = {}
    for stage, done in basis.run.items():
        found[Line(stage, "run")] = stages.work(
            done.kwh * measured, done.vcpu_h * r.repeat, r.run_intensity, r.eur_per_vcpu_h
        )
    hours = sum((done.vcpu_h for done in basis.run.values()), 0.0) * r.repeat
    found[Line("embodied", "servers of the run")] = stages.embodied_servers(hours, r.g_per_vcpu_h)
    return found


def _retraining(once: Work, r: Rates) -> Lines:
    kwh = once.kwh * r.repeat * r.run_power * r.server_pue
    hours = once.vcpu_h * r.repeat
    return {
        Line("retraining", "servers"): stages.work(
            kwh, hours, r.server_intensity, r.eur_per_vcpu_h, r.retrainings * r.years
        ),
        Line("embodied", "servers of retraining"): stages.embodied_servers(
            hours * r.retrainings * r.years, r.g_per_vcpu_h
        ),
    }


def _gateways(demand: Demand, r: Rates) -> Lines:
    busy = demand.busy_w * r.gateway_power * r.repeat
    return {
        Line("inference", "gateways"): stages.inference(
            busy, r.cpu_s, r.years, r.intensity, r.eur_per_kwh
        ),
        Line("idle", "gateways"): stages.idle(demand.idle_w, r.years, r.intensity, r.eur_per_kwh),
        Line("embodied", "gateways"): stages.embodied_gateways(
            demand.embodied_kg_per_year, demand.price_eur_per_year, r.years
        ),
    }


def _networks(demand: Demand, r: Rates) -> Lines:
    network = (r.kwh_per_gb, r.g_per_gb, r.intensity, r.eur_per_gb)
    pushed = demand.pushes_per_year * r.years * r.bundle_bytes
    sent = demand.uplink_bytes_per_day * stages.DAYS_PER_YEAR * r.years
    return {
        Line("deployment", "pushes"): stages.traffic(pushed, *network),
        Line("transport", "uplink"): stages.traffic(sent, *network),
        Line("transport", "lines"): stages.lines(demand.lines, r.g_per_line_month, r.years),
    }


def _servers(demand: Demand, r: Rates) -> Lines:
    hours = r.server_vcpus * stages.HOURS_PER_YEAR * r.years
    return {
        Line("idle", "server"): stages.server(
            r.server_vcpus, r.w_per_vcpu, r.server_pue, r.years, r.server_intensity,
            r.eur_per_vcpu_h,
        ),
        Line("storage", "replicas"): stages.storage(
            demand.stored_bytes, r.replicas, r.wh_per_tb_h, r.server_pue, r.years,
            r.server_intensity, r.eur_per_gb_month,
        ),
        Line("embodied", "server"): stages.embodied_servers(hours, r.g_per_vcpu_h),
    }  # fmt: skip
