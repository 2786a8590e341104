"""Warm times of several contenders, block by block in turn, so that all meet the same machine."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

Run = Callable[[int], None]
"""Makes so many forecasts."""


@dataclass(frozen=True)
class Warm:
    """One forecast: wall and CPU time, medians of the blocks [us], and wall over the first's."""

    wall_us: float
    cpu_us: float
    ratio: float


def looped(forecast: Callable[[int], object], cases: int) -> Run:
    """Return what makes forecasts from the cases in turn, so that no branch is learnt by heart."""

    def run(count: int) -> None:
        for number in range(count):
            forecast(number % cases)

    return run


def interleaved(contenders: Sequence[Run], blocks: int, block_s: float) -> list[Warm]:
    """Measure contenders in turn.

    Parameters
    ----------
    blocks
        Of each contender.
    block_s
        Least wall time of a block [s].

    Returns
    -------
    list[Warm]
        In the order of the contenders; the ratios are medians of those within a round.
    """
    with _without_gc():
        counts = [_count(run, block_s) for run in contenders]
        rounds = [
            [_block(run, count) for run, count in zip(contenders, counts, strict=True)]
            for _ in range(blocks)
        ]
    found = []
    for index in range(len(contenders)):
        walls, cpus = zip(*(one[index] for one in rounds), strict=True)
        ratios = [one[index][0] / one[0][0] for one in rounds]
        middle = [statistics.median(values) for values in (walls, cpus, ratios)]
        found.append(Warm(1e6 * middle[0], 1e6 * middle[1], middle[2]))
    return found


def _count(run: Run, block_s: float) -> int:
    """Find how many forecasts fill a block; the first ones warm up."""
    count = 1
    while True:
        wall, _ = _block(run, count)
        if wall * count >= block_s:
            return count
        count = max(count + 1, min(10 * count, math.ceil(1.2 * block_s / max(wall, 1e-9))))


def _block(run: Run, count: int) -> tuple[float, float]:
    """Return wall and CPU time of a forecast [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(count)
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


@contextmanager
def _without_gc() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
