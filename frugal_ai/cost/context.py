"""Everything that a measurement needs to become a cost: power, place, factors."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from math import fsum
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt

from frugal_ai.cost.factors import Factor, Factors, load_factors
from frugal_ai.cost.hardware import (
    Hardware,
    HardwareRecord,
    Host,
    describe,
    detect_host,
    read_hardware,
)
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.power.choose import PowerSettings, choose, ways_of
from frugal_ai.cost.power.cpu_time import (
    SPREAD_CALIBRATED,
    SPREAD_KNOWN_CPU,
    SPREAD_UNKNOWN_CPU,
    CpuTimeModel,
)
from frugal_ai.cost.power.gauge import Probe
from frugal_ai.cost.power.metered import MeteredModel
from frugal_ai.cost.power.model import Energy, PowerModel
from frugal_ai.settings import Settings
from frugal_ai.units import gco2e, wh

HARDWARE_VARIABLE = "FRUGAL_AI_HARDWARE"
"""Names the description of this machine where a pipeline has none."""


class CostSettings(Settings):
    """Where the work is done, on what, and how it is measured.

    ``country`` is an ISO 3166-1 code; ``factors`` a table of the user's own, relative to the
    pipeline's file; ``project`` what the run is booked under, by default its pipeline; ``pue`` the
    site's power usage effectiveness; ``threads`` the threads that a run keeps to itself;
    ``hardware`` the machine, which a pipeline may describe in place or by the name of a file as
    `frugal-ai calibrate` writes it, or leave to the file that the variable FRUGAL_AI_HARDWARE
    names; ``power`` where power is measured, by default as the hardware's description has it;
    ``forecasts`` the number that a deployed model serves in its life, for comparing training with
    use; ``block_cpu_s`` [s] and ``blocks`` the repeats of short work.
    """

    country: str
    factors: Path | None = None
    project: str = ""
    hardware: Hardware = Hardware()
    power: PowerSettings | None = None
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
    probe
        Measures power while work goes on; None where nothing does.
    """

    intensity: Factor
    pue: float
    power: PowerModel
    hardware: HardwareRecord
    ram_w_per_gb: float
    threads: int
    factors: Factors
    probe: Probe | None = None

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
        return self.cost_of(self.energy(measurement), measurement.cpu_s, measurement.wall_s)

    def energy(self, measurement: Measurement) -> Energy:
        """Return the energy of one execution of measured work.

        Raises
        ------
        CostError
            If a measured time is negative or not finite.
        """
        return self.power.energy(measurement.cpu_s, measurement.wall_s, measurement.drawn)

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
    described = _described(settings)
    default_w = factors.get("cpu_tdp_per_thread").value
    hardware = describe(described, detect_host() if host is None else host, default_w)
    return CostContext(
        intensity=factors.intensity(settings.country),
        pue=settings.pue,
        power=_model(described, hardware, settings.threads),
        hardware=hardware,
        ram_w_per_gb=factors.get("ram_power").value,
        threads=settings.threads,
        factors=factors,
    )


@contextmanager
def open_context(
    settings: CostSettings, folder: Path, tell: Callable[[str], None]
) -> Iterator[CostContext]:
    """Look up what the settings name, and measure power meanwhile where something can.

    Parameters
    ----------
    settings
        The pipeline's cost section.
    folder
        That files in it are relative to.
    tell
        Hears why power is not measured, or not any more.

    Raises
    ------
    CostError
        As `build_context`; also if the source of power that was asked for is not there.
    """
    context = build_context(settings, folder=folder)
    wanted = settings.power or _described(settings).power
    gauge = choose(wanted, ways_of(wanted, folder), tell)
    if gauge is None or not isinstance(context.power, CpuTimeModel):
        yield context
        return
    probe = Probe(gauge, strict=wanted.on_failure == "stop", tell=tell)
    try:
        yield replace(context, power=MeteredModel(context.power, probe), probe=probe)
    finally:
        probe.close()


def _described(settings: CostSettings) -> Hardware:
    named = os.environ.get(HARDWARE_VARIABLE)
    if named and "hardware" not in settings.model_fields_set:
        return read_hardware(Path(named))
    return settings.hardware


def _model(described: Hardware, hardware: HardwareRecord, reserved: int) -> CpuTimeModel:
    if described.w_per_core is not None and described.idle_w is not None:
        return CpuTimeModel(
            w_per_thread=described.w_per_core,
            idle_w_per_thread=described.idle_w / hardware.threads,
            threads=hardware.threads,
            reserved_threads=reserved,
            spread=SPREAD_CALIBRATED,
            quality="medium",
        )
    spread = SPREAD_UNKNOWN_CPU if hardware.default else SPREAD_KNOWN_CPU
    return CpuTimeModel.from_tdp(hardware.tdp_w, hardware.threads, reserved, spread)
