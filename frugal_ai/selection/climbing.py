"""Is the next rung of the ladder expected to be worth its cost? Judged from a cheap trial."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Lt

from frugal_ai.backtest.compare import Interval
from frugal_ai.selection import _wording as wording
from frugal_ai.settings import Settings

LEAST_ORIGINS = 120
"""Training origins that a part of a task keeps; from fewer, trees say little about themselves."""


class Climbing(Settings):
    """When a rung is not run.

    Parameters
    ----------
    tolerance
        A rung whose gain over the best so far cannot be expected to reach it [1] is not run.
    part
        A trial learns from one in so many weeks, or from more where history is short.
    """

    tolerance: Annotated[float, Ge(0), Lt(1)] = 0.01
    part: Annotated[int, Ge(2)] = 2

    def part_of(self, origins: int) -> int:
        """Return one in how many weeks a trial learns from; with 1 there is no cheap trial."""
        return max(1, min(self.part, origins // LEAST_ORIGINS))


@dataclass(frozen=True)
class Expectation:
    """What a trial says of a rung.

    Attributes
    ----------
    gain
        Over the best rung so far, tried on the very same part [1].
    over
        That rung.
    origins
        Validation origins of the trial.
    cpu_s, co2e_g
        What the rung would cost in full [CPU-s], [gCO2e]: the trial's cost in proportion to the
        origins learnt from, which is too much where a part of it is the same for all.
    """

    rung: str
    gain: Interval
    over: str
    origins: int
    cpu_s: float
    co2e_g: float

    def worth_it(self, climbing: Climbing) -> bool:
        """Whether the rung is run: its gain may reach the tolerance.

        A part of the history favours the simpler rung, so that the gain is taken at the upper end
        of its interval; where that is not known, the rung is run.
        """
        return not self.gain.known or self.gain.high >= climbing.tolerance

    def __str__(self) -> str:
        """Write what was expected, and what it would have cost."""
        gain = self.gain
        return (
            f"expected gain {wording.percent(gain.value)} [{100 * gain.low:.1f}, "
            f"{100 * gain.high:.1f}] over {self.over} on {self.origins} origins; would have cost "
            f"up to about {wording.figure(self.cpu_s)} CPU-s, {wording.mass(self.co2e_g)}"
        )
