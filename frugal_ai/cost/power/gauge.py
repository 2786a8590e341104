"""Something that counts the joules of the machine, and what it shows between two readings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from frugal_ai.errors import CostError

Measured = Literal["wall", "rapl", "pmic"]

_STAT = Path("/proc/stat")
_TICKS_PER_S = 100  # USER_HZ, the same on every Linux


@dataclass(frozen=True)
class Drawn:
    """What the whole machine did during a piece of work.

    Attributes
    ----------
    joules
        That it drew [J].
    busy_s
        CPU time that all its processes took [s].
    """

    joules: float
    busy_s: float


class Gauge(Protocol):
    """Counts energy that the machine draws; reading it twice gives that of the time between."""

    @property
    def method(self) -> Measured:
        """How it measures."""
        ...

    @property
    def shortest_s(self) -> float:
        """Least wall time over which a difference means something [s]."""
        ...

    def joules(self) -> float:
        """Return the energy since some fixed instant [J].

        Raises
        ------
        CostError
            If it does not answer, or counts backwards.
        """
        ...

    def close(self) -> None:
        """End what runs in the background, if anything does."""
        ...


def machine_busy_s(stat: Path = _STAT) -> float:
    """Return the CPU time that all processes have taken since the machine started [s].

    Raises
    ------
    CostError
        If this system does not say.
    """
    try:
        first = stat.read_text(encoding="ascii").split("\n", 1)[0].split()
        user, nice, system, _idle, _wait, irq, softirq = (int(cell) for cell in first[1:8])
    except (OSError, ValueError) as error:
        at = f"power: {stat}: expected the CPU time of all processes"
        raise CostError(f"{at}: {error}") from error
    return (user + nice + system + irq + softirq) / _TICKS_PER_S


@dataclass(frozen=True)
class Mark:
    """What a gauge and the machine's clock showed at an instant."""

    joules: float
    busy_s: float


@dataclass(frozen=True)
class Seen:
    """All that was measured so far: energy [J], CPU time of all processes [s], wall time [s]."""

    joules: float
    busy_s: float
    wall_s: float


@dataclass
class Probe:
    """Reads a gauge before and after work, and gives it up when it fails.

    Parameters
    ----------
    gauge
        What measures.
    strict
        True if work shall stop when the gauge fails; else the CPU-time model takes over for the
        rest of the run, and `tell` hears it.
    tell
        Hears why a gauge is given up.
    busy
        CPU time of all processes of the machine [s].
    """

    gauge: Gauge
    strict: bool = False
    tell: Callable[[str], None] = lambda _: None
    busy: Callable[[], float] = machine_busy_s
    failed: bool = field(default=False, init=False)
    seen: Seen = field(default=Seen(0.0, 0.0, 0.0), init=False)

    def mark(self) -> Mark | None:
        """Read the gauge; None once it has failed.

        Raises
        ------
        CostError
            If it fails and shall not be given up.
        """
        if self.failed:
            return None
        try:
            return Mark(self.gauge.joules(), self.busy())
        except CostError as error:
            self._give_up(str(error))
            return None

    def since(self, mark: Mark | None, own_cpu_s: float, wall_s: float) -> Drawn | None:
        """Return what the machine drew since a mark; None for work too short to tell.

        Parameters
        ----------
        mark
            From before the work.
        own_cpu_s, wall_s
            CPU time and wall time of the work [s].

        Raises
        ------
        CostError
            If the gauge fails or counts backwards, and shall not be given up.
        """
        if mark is None or wall_s < self.gauge.shortest_s:
            return None
        now = self.mark()
        if now is None:
            return None
        joules = now.joules - mark.joules
        if joules < 0:
            self._give_up(
                f"{self.gauge.method}: expected a meter that counts upwards, got {joules:g} J "
                f"in {wall_s:g} s"
            )
            return None
        # ticks are coarse and some machines of a host hide part: own time is the least that was
        drawn = Drawn(joules, max(now.busy_s - mark.busy_s, own_cpu_s))
        seen = self.seen
        self.seen = Seen(seen.joules + joules, seen.busy_s + drawn.busy_s, seen.wall_s + wall_s)
        return drawn

    def close(self) -> None:
        """End what the gauge runs in the background."""
        self.gauge.close()

    def _give_up(self, reason: str) -> None:
        if self.strict:
            raise CostError(reason)
        self.failed = True
        self.tell(f"no more measured power, the CPU-time model takes over: {reason}")
