"""The Software Carbon Intensity, ISO/IEC 21031, of a run, provider and consumer apart."""

import json
from dataclasses import asdict, dataclass

from frugal_ai.bill.bill import Bill
from frugal_ai.cost.factors import Factors
from frugal_ai.exports.subject import Subject

_UNIT = "1,000 forecasts"
_SERVER = "server_embodied"


@dataclass(frozen=True)
class Score:
    """(E x I + M) / R, location-based, nothing offset.

    Attributes
    ----------
    e_kwh
        Electricity [kWh].
    i_g_per_kwh
        Its intensity [gCO2e/kWh].
    m_g
        Share of the manufacture of the machine [gCO2e].
    r
        How many functional units.
    sci_g_per_r
        Emissions of one [gCO2e].
    """

    e_kwh: float
    i_g_per_kwh: float
    m_g: float
    r: float
    sci_g_per_r: float


def score(e_kwh: float, i_g_per_kwh: float, m_g: float, r: float) -> Score:
    """Compute a score.

    Raises
    ------
    ValueError
        If there are no functional units.
    """
    if not r > 0:
        raise ValueError(f"expected functional units above 0, got {r:g}")
    return Score(e_kwh, i_g_per_kwh, m_g, r, (e_kwh * i_g_per_kwh + m_g) / r)


def provider(subject: Subject, factors: Factors) -> Score:
    """Score of making the model: the whole run, over the forecasts that the pipeline declares."""
    context = subject.report.context
    hours = sum(one.n_threads * one.wall_s for one in subject.ledger) / 3600
    m_g = hours * factors.get(_SERVER).value
    r = max(context.forecasts, 1) / 1000
    return score(subject.kwh, context.intensity_g_per_kwh, m_g, r)


def consumer(subject: Subject, factors: Factors) -> Score:
    """Score of a thousand forecasts, on the machine of the run."""
    context, chosen = subject.report.context, subject.chosen
    found = subject.report.compression
    shipped = found.of(found.shipped) if found else None
    grams = shipped.co2e_g_per_1000 if shipped else chosen.co2e_g_per_1000 or 0.0
    latency_us = shipped.latency_us if shipped else chosen.latency_us or 0.0
    hours = context.threads * latency_us * 1e-6 * 1000 / 3600
    intensity = context.intensity_g_per_kwh
    kwh = grams / intensity if intensity else 0.0
    return score(kwh, intensity, hours * factors.get(_SERVER).value, 1.0)


def sci_report(subject: Subject, factors: Factors, bill: Bill | None = None) -> str:
    """Write both scores with all their terms as JSON, and that of a fleet where there is one."""
    context = subject.report.context
    return (
        json.dumps(
            {
                "standard": "ISO/IEC 21031:2024",
                "model": subject.chosen.rung,
                "run_id": subject.report.run_id,
                "functional_unit": _UNIT,
                "boundary": {
                    "provider": "the whole run: data, every rung and trial, metering",
                    "consumer": "forecasts, warm; gateways at rest, network and their manufacture"
                    " are on the bill of a fleet (frugal-ai bill)",
                },
                "energy_method": context.energy_method,
                "energy_spread": context.energy_spread,
                "country": context.country,
                "factor_set_id": factors.digest(),
                "provider": asdict(provider(subject, factors)),
                "consumer": asdict(consumer(subject, factors)),
                "fleet": None if bill is None else {"name": bill.fleet, **asdict(bill.sci)},
            },
            indent=1,
        )
        + "\n"
    )
