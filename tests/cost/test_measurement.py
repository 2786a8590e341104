import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.measurement import Measurement

ONCE = Measurement.once(Reading(2.0, 0.5, 3.0), rss_peak_bytes=7)


def test_children_are_in_the_cpu_time() -> None:
    assert (ONCE.cpu_s, ONCE.children_cpu_s, ONCE.wall_s) == (2.5, 0.5, 3.0)
    assert (ONCE.n_repeats, ONCE.n_blocks, ONCE.rss_peak_bytes) == (1, 1, 7)


def test_work_done_once_has_no_overhead() -> None:
    assert ONCE.overhead == Reading(0.0, 0.0, 0.0)


def test_overhead_is_what_measuring_spent_beyond_one_execution() -> None:
    repeated = dataclasses.replace(ONCE, total_cpu_s=10.0, total_wall_s=13.0)
    assert repeated.overhead == Reading(7.5, 0.0, 10.0)


@given(st.floats(0, 1e6))
def test_times_scales_the_work_and_not_the_measuring(count: float) -> None:
    many = ONCE.times(count)
    assert many.cpu_s == pytest.approx(2.5 * count)
    assert many.wall_s == pytest.approx(3.0 * count)
    assert many.total_cpu_s == ONCE.total_cpu_s


def test_range_of_normal_blocks_estimates_their_deviation() -> None:
    four = dataclasses.replace(ONCE, n_blocks=4, rel_spread=0.2059)
    assert four.rel_std == pytest.approx(0.1)
