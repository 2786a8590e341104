"""What was found on a task."""

from dataclasses import dataclass
from statistics import median

from benchmarks.edge.nodes import Nodes
from benchmarks.edge.speed import Speed
from frugal_ai.compress.original import ORIGINAL
from frugal_ai.report.compression import CandidateReport, CompressionReport


@dataclass(frozen=True)
class Result:
    """A task that was compressed and measured.

    Attributes
    ----------
    name, title, kind
        Of the task; kind is load, pv or wind.
    compression
        Of the run's report.
    nodes
        Of the teacher's graph; None where it has no trees.
    """

    name: str
    title: str
    kind: str
    compression: CompressionReport
    nodes: Nodes | None
    speed: Speed

    @property
    def load(self) -> bool:
        return self.kind == "load"

    @property
    def teacher(self) -> CandidateReport:
        return self.compression.of(ORIGINAL)

    @property
    def shipped(self) -> CandidateReport:
        return self.compression.of(self.compression.shipped)

    @property
    def bytes_ratio(self) -> float:
        """How many times smaller than the teacher."""
        return self.teacher.bytes / self.shipped.bytes


@dataclass(frozen=True)
class Failed:
    """A task without figures, and why."""

    name: str
    why: str


def retained_median(results: list[Result]) -> float:
    return median(one.shipped.retained for one in results)
