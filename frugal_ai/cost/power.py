"""From CPU time to energy."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from frugal_ai.errors import CostError

EnergyMethod = Literal["wall", "rapl", "pmic", "cpu_time_model", "codecarbon", "factor"]
Quality = Literal["high", "medium", "low"]

DYNAMIC_SHARE = 0.6
IDLE_SHARE = 0.2
"""Of the TDP: power = TDP x (0.2 + 0.6 load), fitted to load-against-RAPL measurements."""

SPREAD_KNOWN_CPU = 2.0
SPREAD_UNKNOWN_CPU = 2.5
"""The true energy lies within a factor of this in 90 % of cases, lognormal."""


@dataclass(frozen=True)
class Energy:
    """Energy of a piece of work, at the machine.

    Attributes
    ----------
    dynamic_j
        What the machine drew because of the work [J].
    idle_share_j
        The work's share of what the machine draws anyway [J].
    method
        How it was obtained.
    """

    dynamic_j: float
    idle_share_j: float
    method: EnergyMethod


class PowerModel(Protocol):
    """Anything that turns time spent into energy."""

    @property
    def method(self) -> EnergyMethod:
        """How energy is obtained."""
        ...

    @property
    def quality(self) -> Quality:
        """How far it can be trusted."""
        ...

    @property
    def spread(self) -> float:
        """Factor f: the true energy lies within 1/f and f times the estimate in 90 % of cases."""
        ...

    @property
    def w_per_core_dynamic(self) -> float:
        """Dynamic power of one busy thread [W]."""
        ...

    @property
    def w_idle_share(self) -> float:
        """Idle power of the reserved threads [W]."""
        ...

    def energy(self, cpu_s: float, wall_s: float) -> Energy:
        """Return the energy of work that took this CPU time and wall time."""
        ...


@dataclass(frozen=True)
class CpuTimeModel:
    """Power in proportion to CPU time, from the processor's thermal design power (TDP).

    Parameters
    ----------
    tdp_w
        TDP of the whole processor [W].
    threads
        Threads of the whole processor.
    reserved_threads
        Threads that the work keeps to itself.
    spread
        Factor of the 90 % interval.

    Raises
    ------
    CostError
        If a parameter is out of its range.
    """

    tdp_w: float
    threads: int
    reserved_threads: int = 1
    spread: float = SPREAD_KNOWN_CPU

    def __post_init__(self) -> None:
        if not 0 < self.tdp_w < math.inf:
            raise CostError(f"power: expected tdp_w above 0 W, got {self.tdp_w}")
        if not 1 <= self.reserved_threads <= self.threads:
            raise CostError(
                f"power: expected 1 to {self.threads} reserved threads (the processor's), "
                f"got {self.reserved_threads}"
            )
        if not 1 <= self.spread < math.inf:
            raise CostError(f"power: expected a spread of 1 or more, got {self.spread}")

    @property
    def method(self) -> EnergyMethod:
        """How energy is obtained."""
        return "cpu_time_model"

    @property
    def quality(self) -> Quality:
        """Without a measurement of power: low."""
        return "low"

    @property
    def w_per_core_dynamic(self) -> float:
        """Dynamic power of one busy thread [W]: 0.6 TDP / threads."""
        return DYNAMIC_SHARE * self.tdp_w / self.threads

    @property
    def w_idle_share(self) -> float:
        """Idle power of the reserved threads [W]: 0.2 TDP / threads, each."""
        return IDLE_SHARE * self.tdp_w / self.threads * self.reserved_threads

    def energy(self, cpu_s: float, wall_s: float) -> Energy:
        """Return the energy of work that took this CPU time and wall time.

        Raises
        ------
        CostError
            If a time is negative or not finite.
        """
        for name, value in (("cpu_s", cpu_s), ("wall_s", wall_s)):
            if not 0 <= value < math.inf:
                raise CostError(f"power: expected {name} of 0 s or more, got {value}")
        return Energy(
            dynamic_j=self.w_per_core_dynamic * cpu_s,
            idle_share_j=self.w_idle_share * wall_s,
            method=self.method,
        )
