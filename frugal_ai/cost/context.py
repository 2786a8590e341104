"""Everything that a measurement needs to become a cost: power, place, factors."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from math import fsum
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt

from frugal_ai.cost.factors import Factor, Factors, load_factors
from frugal_ai.cost.hardware import Hardware, HardwareRecord, Host, describe, detect_host
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.power import (
    SPREAD_KNOWN_CPU,
    SPREAD_UNKNOWN_CPU,
    CpuTimeModel,
    Energy,
    PowerModel,
)
from frugal_ai.settings import Settings
from frugal_ai.units import gco2e, wh


class CostSettings(Settings):
    """Where the work is done, on what, and how it is measured.

    ``country`` is an ISO 3166-1 code; ``factors`` a table of the user's own, relative to the
    pipeline's file; ``project`` what the run is booked under, by default its pipeline; ``pue`` the
    site's power usage effectiveness; ``threads`` the threads that a run keeps to itself;
    ``forecasts`` the number that a deployed model serves in its life, for comparing training with
    use; ``block_cpu_s`` [s] and ``blocks`` the repeats of short work.
    """

    country: str
    factors: Path | None = None
    project: str = ""
    hardware: Hardware = Hardware()
    pue: Annotated[float, Ge(1)] = 1.0
    threads: Annotated[int, Ge(1)] = 1
    forecasts: Annotated[int, Ge(1)] = 1000
    block_cpu_s: Annotated[float, Gt(0)] = 0.01
    blocks: Annotated[int, Ge(2)] = 5


@dataclass(frozen=True)
class Cost:
    """What work cost.

    Attributes
    ----------
    cpu_s, wall_s
        CPU time, children included, and wall time [s].
    energy_dynamic_j, energy_idle_j
        Energy at the machine [J]: what the work drew, and its share of what the machine draws
        anyway. Rungs are ranked by the first; the total is reported.
    energy_wh
        Both together, at the site's meter: times PUE [Wh].
    co2e_g
        Emissions of `energy_wh` [gCO2e].
    co2e_dynamic_g
        The dynamic part of them [gCO2e].
    """

    cpu_s: float
    wall_s: float
    energy_dynamic_j: float
    energy_idle_j: float
    energy_wh: float
    co2e_g: float
    co2e_dynamic_g: float


def total_cost(costs: Iterable[Cost]) -> Cost:
    """Add costs up."""
    summands = tuple(costs)
    return Cost(*(fsum(getattr(cost, field.name) for cost in summands) for field in fields(Cost)))


@dataclass(frozen=True)
class CostContext:
    """A power model, a place and the factors in force.

    Attributes
    ----------
    intensity
        Carbon intensity of the electricity [gCO2e/kWh].
    pue
        Power usage effectiveness, >= 1.
    power
        From time to energy.
    hardware
        The machine.
    ram_w_per_gb
        Power of resident memory [W/GB].
    threads
        Threads that the run keeps to itself.
    factors
        All of them.
    """

    intensity: Factor
    pue: float
    power: PowerModel
    hardware: HardwareRecord
    ram_w_per_gb: float
    threads: int
    factors: Factors

    @property
    def factor_set_id(self) -> str:
        """Digest of the factors."""
        return self.factors.digest()

    @property
    def country(self) -> str:
        """ISO 3166-1 alpha-3 code."""
        return self.intensity.region

    def describe(self) -> dict[str, object]:
        """Return what a reader of costs should know, ready for JSON."""
        return {
            "country": self.country,
            "intensity_g_per_kwh": self.intensity.value,
            "intensity_source": self.intensity.source,
            "pue": self.pue,
            "hardware": asdict(self.hardware),
            "energy_method": self.power.method,
            "quality": self.power.quality,
            "threads": self.threads,
            "factor_set_id": self.factor_set_id,
        }

    def cost(self, measurement: Measurement) -> Cost:
        """Return the cost of one execution of measured work.

        Raises
        ------
        CostError
            If a measured time is negative or not finite.
        """
        energy = self.power.energy(measurement.cpu_s, measurement.wall_s)
        return self.cost_of(energy, measurement.cpu_s, measurement.wall_s)

    def cost_of(self, energy: Energy, cpu_s: float, wall_s: float) -> Cost:
        """Return the cost of energy, with the times [s] that go with it."""
        at_machine = energy.dynamic_j + energy.idle_share_j
        return Cost(
            cpu_s=cpu_s,
            wall_s=wall_s,
            energy_dynamic_j=energy.dynamic_j,
            energy_idle_j=energy.idle_share_j,
            energy_wh=wh(at_machine) * self.pue,
            co2e_g=gco2e(at_machine, self.intensity.value, self.pue),
            co2e_dynamic_g=gco2e(energy.dynamic_j, self.intensity.value, self.pue),
        )


def build_context(
    settings: CostSettings, host: Host | None = None, folder: Path = Path()
) -> CostContext:
    """Look up what the settings name.

    Parameters
    ----------
    settings
        The pipeline's cost section.
    host
        The machine; by default this one, detected.
    folder
        That the user's table of factors is relative to.

    Raises
    ------
    CostError
        If a table cannot be read, the country is not in it, or more threads are reserved than
        there are.
    """
    factors = load_factors(folder / settings.factors if settings.factors else None)
    default_w = factors.get("cpu_tdp_per_thread").value
    hardware = describe(settings.hardware, detect_host() if host is None else host, default_w)
    power = CpuTimeModel(
        tdp_w=hardware.tdp_w,
        threads=hardware.threads,
        reserved_threads=settings.threads,
        spread=SPREAD_UNKNOWN_CPU if hardware.default else SPREAD_KNOWN_CPU,
    )
    return CostContext(
        intensity=factors.intensity(settings.country),
        pue=settings.pue,
        power=power,
        hardware=hardware,
        ram_w_per_gb=factors.get("ram_power").value,
        threads=settings.threads,
        factors=factors,
    )
