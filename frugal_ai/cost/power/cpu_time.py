"""Power in proportion to CPU time: the model where nothing measures, or where work is too short."""

import math
from dataclasses import dataclass
from typing import Self

from frugal_ai.cost.power.gauge import Drawn
from frugal_ai.cost.power.model import Energy, EnergyMethod, Quality
from frugal_ai.errors import CostError

DYNAMIC_SHARE = 0.6
IDLE_SHARE = 0.2
"""Of the TDP: power = TDP x (0.2 + 0.6 load), fitted to load-against-RAPL measurements."""

SPREAD_KNOWN_CPU = 2.0
SPREAD_UNKNOWN_CPU = 2.5
SPREAD_CALIBRATED = 1.25
"""The true energy lies within a factor of this in 90 % of cases, lognormal."""


@dataclass(frozen=True)
class CpuTimeModel:
    """Energy = W per busy thread x CPU time, and idle W per reserved thread x wall time.

    Parameters
    ----------
    w_per_thread
        Dynamic power of one busy thread [W].
    idle_w_per_thread
        Idle power of the machine by thread [W].
    threads
        Threads of the whole processor.
    reserved_threads
        Threads that the work keeps to itself.
    spread
        Factor of the 90 % interval.
    quality
        "low" unless the watts were measured on this machine.

    Raises
    ------
    CostError
        If a parameter is out of its range.
    """

    w_per_thread: float
    idle_w_per_thread: float
    threads: int
    reserved_threads: int = 1
    spread: float = SPREAD_KNOWN_CPU
    quality: Quality = "low"

    def __post_init__(self) -> None:
        if not 0 < self.w_per_thread < math.inf:
            raise CostError(f"power: expected a busy thread above 0 W, got {self.w_per_thread}")
        if not 0 <= self.idle_w_per_thread < math.inf:
            raise CostError(f"power: expected idle power of 0 W or more, got "
                            f"{self.idle_w_per_thread}")  # fmt: skip
        if not 1 <= self.reserved_threads <= self.threads:
            raise CostError(
                f"power: expected 1 to {self.threads} reserved threads (the processor's), "
                f"got {self.reserved_threads}"
            )
        if not 1 <= self.spread < math.inf:
            raise CostError(f"power: expected a spread of 1 or more, got {self.spread}")

    @classmethod
    def from_tdp(
        cls, tdp_w: float, threads: int, reserved_threads: int = 1, spread: float = SPREAD_KNOWN_CPU
    ) -> Self:
        """Derive the watts from the processor's thermal design power (TDP) [W].

        Raises
        ------
        CostError
            If a parameter is out of its range.
        """
        if not 0 < tdp_w < math.inf:
            raise CostError(f"power: expected tdp_w above 0 W, got {tdp_w}")
        if threads < 1:
            raise CostError(f"power: expected 1 thread or more, got {threads}")
        of_one = tdp_w / threads
        return cls(DYNAMIC_SHARE * of_one, IDLE_SHARE * of_one, threads, reserved_threads, spread)

    @property
    def method(self) -> EnergyMethod:
        """How energy is obtained."""
        return "cpu_time_model"

    @property
    def w_per_core_dynamic(self) -> float:
        """Dynamic power of one busy thread [W]."""
        return self.w_per_thread

    @property
    def w_idle_share(self) -> float:
        """Idle power of the reserved threads [W]."""
        return self.idle_w_per_thread * self.reserved_threads

    def energy(self, cpu_s: float, wall_s: float, drawn: Drawn | None = None) -> Energy:
        """Return the energy of work that took this CPU time and wall time.

        Raises
        ------
        CostError
            If a time is negative or not finite.
        """
        del drawn
        for name, value in (("cpu_s", cpu_s), ("wall_s", wall_s)):
            if not 0 <= value < math.inf:
                raise CostError(f"power: expected {name} of 0 s or more, got {value}")
        return Energy(
            dynamic_j=self.w_per_core_dynamic * cpu_s,
            idle_share_j=self.w_idle_share * wall_s,
            method=self.method,
            quality=self.quality,
            spread=self.spread,
        )
