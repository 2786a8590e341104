"""What a rung costs over the life of a fleet, for choice and verdicts."""

from dataclasses import dataclass

from frugal_ai.bill.basis import Work
from frugal_ai.bill.bill import OWN
from frugal_ai.bill.compose import compose
from frugal_ai.bill.evaluate import Lines, evaluate
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.cost.factors import Factors
from frugal_ai.units import kwh


@dataclass(frozen=True)
class RungWork:
    """What making a rung and asking it took.

    Attributes
    ----------
    dynamic_j, idle_j
        Energy of making it, at the machine [J].
    vcpu_h
        Reserved threads x wall time of making it [h].
    cpu_s
        CPU time of one forecast [s].
    size
        Of what is pushed to a gateway [bytes].
    spread
        Relative standard deviation of measured CPU time [1].
    country, pue
        Where it was made.
    """

    dynamic_j: float
    idle_j: float
    vcpu_h: float
    cpu_s: float
    size: int
    spread: float
    country: str
    pue: float


@dataclass(frozen=True)
class Weight:
    """Emissions over the life of a fleet [gCO2e].

    Attributes
    ----------
    dynamic_g
        That hang on the rung, without the idle share of the machine that made it: what ranks.
    own_g
        That hang on the rung: making, retraining, pushing and asking it.
    common_g
        That are there whatever the rung: rest and manufacture of gateways, readings, storage.
    spread
        Relative standard deviation of `dynamic_g` from one measurement to the next [1].
    """

    dynamic_g: float
    own_g: float
    common_g: float
    spread: float


def weigh(work: RungWork, fleet: Fleet, factors: Factors) -> Weight:
    """Weigh a rung under a fleet.

    Raises
    ------
    CostError
        If a country has no carbon intensity, or a factor that the fleet needs is not there.
    """
    lines = _lines(work, work.dynamic_j + work.idle_j, fleet, factors)
    dynamic = _lines(work, work.dynamic_j, fleet, factors)
    ranked, whole = _own(dynamic), sum(float(one.gco2e) for one in lines.values())
    pushed = sum(float(one.gco2e) for line, one in lines.items() if line.stage == "deployment")
    return Weight(
        dynamic_g=ranked,
        own_g=_own(lines),
        common_g=whole - _own(lines),
        spread=work.spread * (ranked - pushed) / ranked if ranked else 0.0,
    )


def _lines(work: RungWork, joules: float, fleet: Fleet, factors: Factors) -> Lines:
    made = Work(kwh(joules), work.vcpu_h)
    model = Model("rung", {"training": made}, made, work.cpu_s, work.size, work.country, work.pue)
    return evaluate(compose(fleet, model, factors))


def _own(lines: Lines) -> float:
    return sum(float(one.gco2e) for line, one in lines.items() if line.stage in OWN)
