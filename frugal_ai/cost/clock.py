"""What a process has spent so far: CPU time, its children's, and wall time."""

import resource
import sys
import time
from dataclasses import dataclass
from typing import Protocol

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss [bytes]


@dataclass(frozen=True)
class Reading:
    """A clock's state, or the difference of two.

    Attributes
    ----------
    cpu_s
        CPU time of all threads of this process [s].
    children_cpu_s
        CPU time of the children that have ended and were waited for [s].
    wall_s
        Wall time [s].
    """

    cpu_s: float
    children_cpu_s: float
    wall_s: float

    def __sub__(self, other: "Reading") -> "Reading":
        return Reading(
            self.cpu_s - other.cpu_s,
            self.children_cpu_s - other.children_cpu_s,
            self.wall_s - other.wall_s,
        )

    @property
    def total_cpu_s(self) -> float:
        """CPU time, children included [s]."""
        return self.cpu_s + self.children_cpu_s


class Clock(Protocol):
    """Anything that can be read; tests pass one that does not depend on the machine."""

    def read(self) -> Reading:
        """Return what was spent since some fixed instant."""
        ...


class SystemClock:
    """The operating system's clocks, resolution 1 us or better."""

    def read(self) -> Reading:
        """Return what this process and its ended children have spent."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Reading(
            cpu_s=time.process_time_ns() / 1e9,
            children_cpu_s=children.ru_utime + children.ru_stime,
            wall_s=time.perf_counter_ns() / 1e9,
        )


def rss_peak_bytes() -> int:
    """Return the most memory that this process has held resident so far [bytes]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
