"""The Software Carbon Intensity of a bill, ISO/IEC 21031, with its terms."""

from dataclasses import dataclass

from frugal_ai.bill.basis import Basis
from frugal_ai.bill.evaluate import Line, Lines, summed
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.park import Demand
from frugal_ai.bill.stages import DAYS_PER_YEAR

FUNCTIONAL_UNIT = 1000
"""Forecasts; one forecast is all steps from one origin."""
_YEAR_S = DAYS_PER_YEAR * 86400
_NETWORK = (Line("deployment", "pushes"), Line("transport", "uplink"), Line("transport", "lines"))


@dataclass(frozen=True)
class Embodied:
    """M of gateways of one kind: TE x (TiR / EL) x (RR / ToR).

    Attributes
    ----------
    te_g
        Manufacture of all of them [gCO2e].
    tir_s, el_s
        Time that they are reserved, and their expected lifetime [s]; more than one lifetime means
        that they are replaced.
    rr, tor
        Resources reserved, of so many [1].
    m_g
        Their share [gCO2e].
    """

    te_g: float
    tir_s: float
    el_s: float
    rr: float
    tor: float
    m_g: float


@dataclass(frozen=True)
class Sci:
    """(E x I + N + M) / R.

    Attributes
    ----------
    e_kwh, i_g_per_kwh
        Electricity, and the mean intensity of it.
    n_g
        Emissions of networks whose source gives no electricity, but those of their whole life.
    m_g
        Embodied emissions, of gateways and servers.
    gateways
        The terms of M of each kind of gateway; what is left of M is that of servers.
    r
        Functional units: thousands of forecasts.
    score_g
        Emissions of one functional unit [gCO2e].
    """

    e_kwh: float
    i_g_per_kwh: float
    n_g: float
    m_g: float
    gateways: tuple[Embodied, ...]
    r: float
    score_g: float


def sci(basis: Basis, fleet: Fleet, lines: Lines) -> Sci:
    """Compute the score of a bill without scenarios."""
    whole = summed(lines)
    m_g = sum(float(one.gco2e) for line, one in lines.items() if line.stage == "embodied")
    intensity = float(basis.rates.intensity)
    n_g = sum(float(lines[one].gco2e) - float(lines[one].kwh) * intensity for one in _NETWORK)
    e_kwh, total = float(whole.kwh), float(whole.gco2e)
    demand = Demand.of(basis.park).total()
    r = float(demand.forecasts_per_day) * DAYS_PER_YEAR * fleet.years / FUNCTIONAL_UNIT
    return Sci(
        e_kwh=e_kwh,
        i_g_per_kwh=(total - m_g - n_g) / e_kwh if e_kwh else 0.0,
        n_g=n_g,
        m_g=m_g,
        gateways=_gateways(basis, fleet),
        r=r,
        score_g=total / r,
    )


def _gateways(basis: Basis, fleet: Fleet) -> tuple[Embodied, ...]:
    rule = fleet.allocation
    time, resources = (0.0, 0.0) if rule.rule == "marginal" else (rule.time, rule.resources)
    found = []
    for position, one in enumerate(fleet.gateways):
        kg = float(basis.park.embodied_kg[position])  # type: ignore[index]  # [G], by compose
        te = one.count * kg * 1000
        tir, el = fleet.years * time * _YEAR_S, one.lifetime_years * _YEAR_S
        found.append(Embodied(te, tir, el, resources, 1.0, te * tir / el * resources))
    return tuple(found)
