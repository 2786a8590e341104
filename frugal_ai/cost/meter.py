"""Measure the CPU time of work, from microseconds to hours."""

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Protocol, TypeVar

from frugal_ai.cost.clock import Clock, Reading, SystemClock, rss_peak_bytes
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.pace import PACE, Pace
from frugal_ai.cost.power.gauge import Probe
from frugal_ai.errors import CostError

T = TypeVar("T")

_RESOLUTION_S = 1e-9  # of the CPU clock; a single execution is never booked as nothing
_MOST_REPEATS = 10_000_000
_LEAST_BLOCKS = 3  # of two the range says little of a spread
_HEADROOM = 1.2  # so that the next block is long enough although executions get faster


class Meter(Protocol):
    """Runs work and says what one execution of it cost."""

    def measure(self, work: Callable[[], T], *, repeat: bool = True) -> tuple[T, Measurement]:
        """Return the work's first result, and its cost.

        Parameters
        ----------
        work
            Anything to call; with `repeat` it may be called many times.
        repeat
            False for work that must run once.

        Raises
        ------
        CostError
            If the meter cannot measure it.
        """
        ...

    def overhead(self) -> Measurement:
        """Return what all measuring so far spent beyond the executions that it reported."""
        ...


class CpuMeter:
    """CPU time of this process, its threads and its children; short work is repeated.

    Work is executed once. If that took `single_cpu_s` or more, it is the measurement. Else work is
    repeated in blocks of at least `block_cpu_s`; the first block is discarded, and the least of the
    others, per execution, is the measurement: what else a machine does can only lengthen it. Work
    that fills a block by itself is its own first block, and is repeated as often as fits into
    `single_cpu_s`, three times at least. The spread is that of the blocks, or by how much the
    machine was slower meanwhile than it has been, if that is more.

    Parameters
    ----------
    block_cpu_s
        CPU time that a block must reach [s].
    blocks
        Number of blocks, the discarded first one included; at least 2.
    single_cpu_s
        Work of this CPU time is not repeated [s]; by default as long as all blocks together, so
        that repeating never costs more than `blocks` times `single_cpu_s`.
    clock
        Read before and after.
    probe
        Measures energy, of work that is executed once.
    pace
        Knows how fast the machine has been; that of the process by default.

    Raises
    ------
    CostError
        If a parameter is out of its range.

    Notes
    -----
    Not for nested use: an inner measurement's repeats would count as the outer one's work.
    Children count when they have ended and were waited for.
    """

    def __init__(
        self,
        block_cpu_s: float = 0.01,
        blocks: int = 5,
        single_cpu_s: float | None = None,
        clock: Clock | None = None,
        probe: Probe | None = None,
        pace: Pace = PACE,
    ) -> None:
        if not 0 < block_cpu_s < math.inf:
            raise CostError(f"meter: expected block_cpu_s above 0 s, got {block_cpu_s}")
        if blocks < 2:
            raise CostError(f"meter: expected at least 2 blocks, got {blocks}")
        self._block_cpu_s = block_cpu_s
        self._blocks = blocks
        self._single_cpu_s = block_cpu_s * blocks if single_cpu_s is None else single_cpu_s
        self._clock = SystemClock() if clock is None else clock
        self._probe = probe
        self._pace = pace
        self._overhead = Reading(0.0, 0.0, 0.0)

    def measure(self, work: Callable[[], T], *, repeat: bool = True) -> tuple[T, Measurement]:
        """Return the work's first result, and its cost.

        Raises
        ------
        CostError
            If the clock runs backwards or stands still, or a power meter fails that must not.
        """
        mark = self._probe.mark() if self._probe else None
        start = self._clock.read()
        result = work()
        first = self._since(start)
        drawn = self._probe.since(mark, first.total_cpu_s, first.wall_s) if self._probe else None
        measurement = Measurement.once(_at_least_a_tick(first), rss_peak_bytes(), drawn)
        if repeat and first.total_cpu_s < self._single_cpu_s:
            measurement = self._repeat(work, measurement, start)
        spent = measurement.overhead
        self._overhead = Reading(
            self._overhead.cpu_s + spent.cpu_s, 0.0, self._overhead.wall_s + spent.wall_s
        )
        return result, measurement

    def overhead(self) -> Measurement:
        """Return what repeats and warm-up spent so far, to be booked as metering."""
        return Measurement.once(self._overhead)

    def _repeat(
        self, work: Callable[[], object], first: Measurement, start: Reading
    ) -> Measurement:
        with _without_gc():
            repeats, counted = self._plan(work, first.cpu_s)
            blocks, slower = [], []
            for _ in range(counted):
                blocks.append(self._block(work, repeats))
                slower.append(self._pace.slowdown(self._clock))
        total = self._since(start)
        cpu = [block.total_cpu_s for block in blocks]
        best = min(blocks, key=lambda block: block.total_cpu_s)
        least = best.total_cpu_s
        if least <= 0:
            raise CostError("meter: expected clocks that run forward, got blocks of 0 CPU-s")
        return replace(
            first,
            cpu_s=least / repeats,
            children_cpu_s=best.children_cpu_s / repeats,
            wall_s=best.wall_s / repeats,
            rel_spread=max((max(cpu) - least) / least, median(slower)),
            n_repeats=repeats,
            n_blocks=len(blocks),
            total_cpu_s=total.total_cpu_s,
            total_wall_s=total.wall_s,
            drawn=None,
        )

    def _plan(self, work: Callable[[], object], cpu_s: float) -> tuple[int, int]:
        """Return how many executions fill a block, and how many blocks count."""
        most = self._blocks - 1  # one is discarded: the one that proved long enough
        if cpu_s < self._block_cpu_s:
            return self._long_enough(work, cpu_s), most
        return 1, min(most, max(_LEAST_BLOCKS, int(self._single_cpu_s / cpu_s)))

    def _long_enough(self, work: Callable[[], object], cpu_s: float) -> int:
        """Find how many executions fill a block; the first, cold one made them look longer."""
        repeats = max(1, math.ceil(self._block_cpu_s / cpu_s))
        while repeats <= _MOST_REPEATS:
            spent = self._block(work, repeats).total_cpu_s
            if spent >= self._block_cpu_s:
                return repeats
            growth = self._block_cpu_s / spent * _HEADROOM if spent else 10.0
            repeats = math.ceil(repeats * min(max(growth, 1.1), 10.0))
        raise CostError(
            f"meter: expected {self._block_cpu_s} CPU-s after at most {_MOST_REPEATS} executions; "
            "the work is too short or the clock stands still"
        )

    def _block(self, work: Callable[[], object], repeats: int) -> Reading:
        start = self._clock.read()
        for _ in range(repeats):
            work()
        return self._since(start)

    def _since(self, start: Reading) -> Reading:
        spent = self._clock.read() - start
        if min(spent.cpu_s, spent.children_cpu_s, spent.wall_s) < 0:
            raise CostError(f"meter: expected clocks that run forward, got {spent}")
        return spent


def _at_least_a_tick(spent: Reading) -> Reading:
    return spent if spent.total_cpu_s > 0 else replace(spent, cpu_s=_RESOLUTION_S)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Keep collections, which belong to the whole process's garbage, out of short work."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
