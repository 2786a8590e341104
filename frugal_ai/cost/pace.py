"""How fast the machine works just now, by a small fixed piece of work."""

import math

from frugal_ai.cost.clock import Clock

_STEPS = 4000  # about 0.2 ms


class Pace:
    """Tells a slow phase of the machine from slow work.

    A neighbour on the other thread of a core, or a lower clock rate, lengthens CPU time for seconds
    on end: all blocks of a measurement agree then, and the next measurement is another figure. The
    same loop beside the blocks shows such a phase.
    """

    def __init__(self) -> None:
        self._least_s = math.inf

    def slowdown(self, clock: Clock) -> float:
        """Return by how much the loop takes longer than the quickest time seen so far [1].

        Parameters
        ----------
        clock
            That measures; 0 is returned for one that does not see the loop.
        """
        took_s = min(_loop_s(clock) for _ in range(2))
        if took_s <= 0:
            return 0.0
        self._least_s = min(self._least_s, took_s)
        return took_s / self._least_s - 1


PACE = Pace()
"""Of this process: the longer it lives, the better it knows how fast the machine can be."""


def _loop_s(clock: Clock) -> float:
    start = clock.read()
    found = 0
    for step in range(_STEPS):
        found ^= step
    return (clock.read() - start).cpu_s
