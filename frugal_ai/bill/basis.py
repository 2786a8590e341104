"""Everything that a bill is computed from, and how sure each of it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from frugal_ai.bill.amount import Value
from frugal_ai.bill.park import Park
from frugal_ai.cost.record import Stage

Kind = Literal["repeatability", "power", "factors", "declared"]
"""Of an uncertainty: the first three are never merged; what is declared has none, but is varied."""
UNCERTAIN: tuple[Kind, ...] = ("repeatability", "power", "factors")


@dataclass(frozen=True)
class Work:
    """Work that was measured.

    Attributes
    ----------
    kwh
        At the machine, before PUE [kWh].
    vcpu_h
        Reserved threads x wall time [h].
    """

    kwh: float = 0.0
    vcpu_h: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.kwh + other.kwh, self.vcpu_h + other.vcpu_h)


@dataclass(frozen=True)
class Rates:
    """All figures but those of the gateways; numbers, or one for each scenario [N].

    Attributes
    ----------
    years, retrainings
        Of the fleet's service; how often all models are trained anew in it.
    cpu_s
        CPU time of one forecast, where it was measured [s].
    bundle_bytes
        That a push transfers.
    replicas, server_vcpus
        Copies that are kept; threads of a server that are reserved.
    run_pue, server_pue
        Where the run was made; of the servers of the fleet.
    run_intensity, server_intensity, intensity
        Of the run, of the servers, of gateways and network [gCO2e/kWh].
    repeat, run_power, gateway_power
        Multipliers of measured CPU time and of the two power models; 1.
    kwh_per_gb, g_per_gb, g_per_line_month
        Of the network.
    wh_per_tb_h, w_per_vcpu, g_per_vcpu_h
        Of storage and servers; the last of their manufacture.
    eur_per_kwh, eur_per_gb, eur_per_vcpu_h, eur_per_gb_month
        Prices; NaN where there is none.
    """

    years: Value
    retrainings: Value
    cpu_s: Value
    bundle_bytes: Value
    replicas: Value
    server_vcpus: Value
    run_pue: Value
    server_pue: Value
    run_intensity: Value
    server_intensity: Value
    intensity: Value
    kwh_per_gb: Value
    g_per_gb: Value
    g_per_line_month: Value
    wh_per_tb_h: Value
    w_per_vcpu: Value
    g_per_vcpu_h: Value
    eur_per_kwh: Value
    eur_per_gb: Value
    eur_per_vcpu_h: Value
    eur_per_gb_month: Value
    repeat: Value = 1.0
    run_power: Value = 1.0
    gateway_power: Value = 1.0


@dataclass(frozen=True)
class Driver:
    """Something that a bill depends on, which may be other than it is taken to be.

    Attributes
    ----------
    key
        Of the factor with its region, or the name of a field of the fleet. Two bills that share a
        key share its error, too.
    label
        For readers.
    names
        Fields of `Park` and `Rates` that it multiplies.
    kind
        Of the uncertainty.
    low, high
        Multipliers at the ends of its range; 90 % of cases lie between.
    value, unit, source
        What is in force, for readers.
    """

    key: str
    label: str
    names: tuple[str, ...]
    kind: Kind
    low: float
    high: float
    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class Basis:
    """A fleet, a model and the factors, ready to be evaluated.

    Attributes
    ----------
    park
        The gateways.
    rates
        Everything else.
    run
        What the run took, by stage: once.
    retraining
        What one retraining of all models takes.
    drivers
        What may be other than it is taken to be.
    """

    park: Park
    rates: Rates
    run: Mapping[Stage, Work]
    retraining: Work
    drivers: tuple[Driver, ...] = field(default=())


PARK = frozenset(one.name for one in fields(Park))
RATES = frozenset(one.name for one in fields(Rates))
