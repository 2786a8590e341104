"""What forecasting takes, from CPU time and the power that the operator says; at rest apart."""

from dataclasses import dataclass

from frugal_edge.gateway.config import PowerSettings
from frugal_edge.store.counters import Counters

METHOD = "cpu_time_model"
_J_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy [J] and emissions [gCO2e] of some work."""

    joules: float
    grams: float


def dynamic(power: PowerSettings, cpu_s: float) -> Energy:
    """Charge CPU time [s] with what a busy core draws beyond rest."""
    return _energy(power, (power.busy_w - power.idle_w) * cpu_s)


def idle(power: PowerSettings, wall_s: float) -> Energy:
    """Charge wall time [s] with the declared share of what the gateway draws at rest."""
    return _energy(power, power.idle_w * power.share * wall_s)


def book(counters: Counters, took: Energy, part: str) -> None:
    """Count energy and emissions of a part, ``dynamic`` or ``idle``."""
    counters.add("energy_joules_total", took.joules, method=METHOD, part=part)
    counters.add("co2e_grams_total", took.grams, method=METHOD, part=part)


def _energy(power: PowerSettings, joules: float) -> Energy:
    return Energy(joules, joules / _J_PER_KWH * power.intensity)
