"""What a piece of work cost, measured."""

from dataclasses import dataclass, replace

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.power.gauge import Drawn

_RANGE_TO_STD = (1.128, 1.693, 2.059, 2.326, 2.534, 2.704, 2.847, 2.970, 3.078)
"""Expected range of 2, 3, ... 10 normal values in standard deviations (d2; Tippett 1925)."""


@dataclass(frozen=True)
class Measurement:
    """Cost of one execution of a piece of work.

    Attributes
    ----------
    cpu_s
        CPU time of a single execution, children included [s].
    children_cpu_s
        The part of it that children spent [s].
    wall_s
        Wall time of a single execution [s].
    rel_spread
        (max - least) / least of the blocks' CPU times [1]; None where there was one block.
    n_repeats
        Executions in a block.
    n_blocks
        Blocks that the figures come from.
    rss_peak_bytes
        Most resident memory that the process had held by then [bytes].
    total_cpu_s, total_wall_s
        Everything that measuring spent, first execution and repeats included [s].
    drawn
        What the machine drew during it; None where nothing measured it.
    """

    cpu_s: float
    children_cpu_s: float
    wall_s: float
    rel_spread: float | None
    n_repeats: int
    n_blocks: int
    rss_peak_bytes: int | None
    total_cpu_s: float
    total_wall_s: float
    drawn: Drawn | None = None

    @classmethod
    def once(
        cls, spent: Reading, rss_peak_bytes: int | None = None, drawn: Drawn | None = None
    ) -> "Measurement":
        """Describe work that was executed once."""
        return cls(
            cpu_s=spent.total_cpu_s,
            children_cpu_s=spent.children_cpu_s,
            wall_s=spent.wall_s,
            rel_spread=None,
            n_repeats=1,
            n_blocks=1,
            rss_peak_bytes=rss_peak_bytes,
            total_cpu_s=spent.total_cpu_s,
            total_wall_s=spent.wall_s,
            drawn=drawn,
        )

    @property
    def rel_std(self) -> float | None:
        """Relative standard deviation from one block to the next [1], estimated from the range."""
        if self.rel_spread is None or self.n_blocks < 2:
            return None
        return self.rel_spread / _RANGE_TO_STD[min(self.n_blocks, 10) - 2]

    @property
    def overhead(self) -> Reading:
        """What measuring spent beyond the one execution that it reports."""
        return Reading(
            cpu_s=max(0.0, self.total_cpu_s - self.cpu_s),
            children_cpu_s=0.0,
            wall_s=max(0.0, self.total_wall_s - self.wall_s),
        )

    def times(self, count: float) -> "Measurement":
        """Return the cost of `count` executions; what measuring spent stays as it was."""
        return replace(
            self,
            cpu_s=self.cpu_s * count,
            children_cpu_s=self.children_cpu_s * count,
            wall_s=self.wall_s * count,
            drawn=self.drawn and Drawn(self.drawn.joules * count, self.drawn.busy_s * count),
        )
