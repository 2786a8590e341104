"""Meters and gauges that show what is prescribed, so that costs can be tested on any machine."""

from collections.abc import Callable, Iterable
from math import fsum
from typing import TypeVar

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.power.gauge import Measured
from frugal_ai.errors import CostError

T = TypeVar("T")


class ReplayMeter:
    """Executes work once and reports the next of the given measurements."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self._measurements = tuple(measurements)
        self._used = 0

    def measure(self, work: Callable[[], T], *, repeat: bool = True) -> tuple[T, Measurement]:
        """Return the work's result, and the next measurement.

        Raises
        ------
        CostError
            If all measurements have been handed out.
        """
        del repeat
        if self._used == len(self._measurements):
            raise CostError(
                f"replay meter: expected at most {self._used} measurements to be asked for, "
                f"got one more"
            )
        measurement = self._measurements[self._used]
        self._used += 1
        return work(), measurement

    def overhead(self) -> Measurement:
        """Return the overhead of the measurements handed out so far."""
        used = [measurement.overhead for measurement in self._measurements[: self._used]]
        return Measurement.once(
            Reading(fsum(one.cpu_s for one in used), 0.0, fsum(one.wall_s for one in used))
        )


class ReplayGauge:
    """Shows the next of the given joules at each reading; None is a gauge that does not answer."""

    method: Measured = "rapl"
    shortest_s = 1.0

    def __init__(self, *joules: float | None) -> None:
        self._left = iter(joules)
        self.closed = False

    def joules(self) -> float:
        """Return the next prescribed energy [J].

        Raises
        ------
        CostError
            Where it is None.
        """
        found = next(self._left)
        if found is None:
            raise CostError(f"{self.method}: no answer")
        return found

    def close(self) -> None:
        """Remember it."""
        self.closed = True
