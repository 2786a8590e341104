"""Energy as a meter shows it, shared out by CPU time; what is too short gets the same watts."""

from dataclasses import dataclass, replace

from frugal_ai.cost.power.cpu_time import CpuTimeModel
from frugal_ai.cost.power.gauge import Drawn, Measured, Probe
from frugal_ai.cost.power.model import Energy, EnergyMethod, Quality

QUALITY: dict[Measured, Quality] = {"wall": "high", "rapl": "medium", "pmic": "medium"}
SPREAD: dict[Measured, float] = {"wall": 1.1, "rapl": 1.25, "pmic": 1.25}
"""BoAmps' high (10 %) and medium (25 %). RAPL and the Pi's rails leave out what is not on them."""


@dataclass(frozen=True)
class MeteredModel:
    """What the machine drew x own share of busy CPU time.

    Idle power is the model's, measured by `frugal-ai calibrate` or assumed, never more than was
    drawn. Work too short for the meter is charged with the watts per busy thread that longer work
    of the run has shown so far, before that with the model's: all work is on one scale.

    Parameters
    ----------
    model
        For idle power, and for the watts until something was measured.
    probe
        What measures, and what it has seen.
    """

    model: CpuTimeModel
    probe: Probe

    @property
    def method(self) -> EnergyMethod:
        """Of measured work."""
        return self.probe.gauge.method

    @property
    def quality(self) -> Quality:
        """Of measured work."""
        return QUALITY[self.probe.gauge.method]

    @property
    def spread(self) -> float:
        """Of measured work."""
        return SPREAD[self.probe.gauge.method]

    @property
    def w_per_core_dynamic(self) -> float:
        """Dynamic power of one busy thread, as measured so far in the run [W]."""
        seen = self.probe.seen
        dynamic_j = seen.joules - self._idle_w * seen.wall_s
        if self.probe.failed or dynamic_j <= 0 or seen.busy_s <= 0:
            return self.model.w_per_core_dynamic
        return dynamic_j / seen.busy_s

    @property
    def w_idle_share(self) -> float:
        """Idle power of the reserved threads [W]."""
        return self.model.w_idle_share

    @property
    def _idle_w(self) -> float:
        return self.model.idle_w_per_thread * self.model.threads

    def energy(self, cpu_s: float, wall_s: float, drawn: Drawn | None = None) -> Energy:
        """Return the energy of work that took this CPU time and wall time.

        Raises
        ------
        CostError
            If a time is negative or not finite.
        """
        modelled = self.model.energy(cpu_s, wall_s)
        if drawn is None or drawn.busy_s <= 0:
            return replace(modelled, dynamic_j=self.w_per_core_dynamic * cpu_s)
        idle_j = min(self._idle_w * wall_s, drawn.joules)
        return Energy(
            dynamic_j=(drawn.joules - idle_j) * min(cpu_s / drawn.busy_s, 1.0),
            idle_share_j=idle_j * self.model.reserved_threads / self.model.threads,
            method=self.method,
            quality=self.quality,
            spread=self.spread,
        )
