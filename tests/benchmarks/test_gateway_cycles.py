"""Cycles leave no object behind; what C libraries keep, the benchmark of 100,000 cycles counts."""

import gc
import sys

from benchmarks.gateway.cycles import working

CYCLES = 250


def test_no_object_is_left_over_by_a_cycle() -> None:
    with working() as days:
        days.run(CYCLES)  # caches are filled
        gc.collect()
        before = sys.getallocatedblocks()
        days.run(CYCLES)
        gc.collect()
        assert sys.getallocatedblocks() - before < 2 * CYCLES
