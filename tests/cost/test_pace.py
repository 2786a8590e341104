import pytest

from frugal_ai.cost.clock import Reading, SystemClock
from frugal_ai.cost.pace import Pace


class Ticks:
    """A clock on which each loop takes the next of these times."""

    def __init__(self, took_s: list[float]) -> None:
        self._now = 0.0
        self._steps = iter(step for one in took_s for step in (0.0, one))

    def read(self) -> Reading:
        self._now += next(self._steps)
        return Reading(self._now, 0.0, self._now)


def test_slowdown_is_against_the_quickest_so_far() -> None:
    pace = Pace()
    assert pace.slowdown(Ticks([0.2, 0.3])) == 0  # the quicker of two loops, and nothing before
    assert pace.slowdown(Ticks([0.5, 0.3])) == pytest.approx(0.5)
    assert pace.slowdown(Ticks([0.1, 0.3])) == 0
    assert pace.slowdown(Ticks([0.2, 0.2])) == pytest.approx(1.0)


def test_a_clock_that_does_not_see_the_loop_says_nothing() -> None:
    pace = Pace()
    assert pace.slowdown(Ticks([0.0, 0.0])) == 0
    assert pace.slowdown(Ticks([0.2, 0.2])) == 0


def test_the_loop_takes_well_below_a_block_on_a_real_clock() -> None:
    clock = SystemClock()
    pace = Pace()
    before = clock.read()
    found = [pace.slowdown(clock) for _ in range(20)]
    assert min(found) == 0
    assert (clock.read() - before).cpu_s < 20 * 0.01
