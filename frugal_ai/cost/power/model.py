"""What turns time into energy, whichever way power is known."""

from dataclasses import dataclass
from typing import Literal, Protocol

from frugal_ai.cost.power.gauge import Drawn

EnergyMethod = Literal["wall", "rapl", "pmic", "cpu_time_model", "codecarbon", "factor"]
Quality = Literal["high", "medium", "low"]


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
    quality
        How far it can be trusted.
    spread
        Factor f: the truth lies within 1/f and f times the estimate in 90 % of cases.
    """

    dynamic_j: float
    idle_share_j: float
    method: EnergyMethod
    quality: Quality
    spread: float


class PowerModel(Protocol):
    """Anything that turns time spent into energy."""

    @property
    def method(self) -> EnergyMethod:
        """How energy is obtained at best."""
        ...

    @property
    def quality(self) -> Quality:
        """How far it can be trusted then."""
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

    def energy(self, cpu_s: float, wall_s: float, drawn: Drawn | None = None) -> Energy:
        """Return the energy of work that took this CPU time and wall time.

        Parameters
        ----------
        cpu_s, wall_s
            Of one execution [s].
        drawn
            What the machine drew meanwhile, where something measured it.
        """
        ...
