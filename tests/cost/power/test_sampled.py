import math
from collections.abc import Callable, Iterator

import pytest

from frugal_ai.cost.power.sampled import Sampled
from frugal_ai.errors import CostError


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def replay(*answers: float | None) -> Callable[[], float]:
    """Replay readings; None is a meter that does not answer."""
    left: Iterator[float | None] = iter(answers)

    def watts() -> float:
        found = next(left)
        if found is None:
            raise CostError("timed out")
        return found

    return watts


def test_power_is_integrated_by_trapezoids() -> None:
    clock = Clock()
    gauge = Sampled(replay(10, 30, 30), "wall", clock, period_s=None)
    clock.now += 2
    gauge.sample()
    assert gauge.joules() == pytest.approx(40)
    clock.now += 1
    assert gauge.joules() == pytest.approx(70)  # the last reading holds
    gauge.sample()
    assert gauge.joules() == pytest.approx(70)


def test_one_missing_answer_is_bridged() -> None:
    clock = Clock()
    gauge = Sampled(replay(10, None, 20), "wall", clock, period_s=None)
    clock.now += 4
    gauge.sample()
    clock.now += 4
    gauge.sample()
    assert gauge.joules() == pytest.approx(15 * 8)


def test_meter_that_stops_answering() -> None:
    clock = Clock()
    gauge = Sampled(replay(10, None), "wall", clock, period_s=None)
    clock.now += 9
    gauge.sample()
    assert gauge.joules() == pytest.approx(90)
    clock.now += 3
    with pytest.raises(CostError, match=r"within 10 s, got none for 12 s: timed out"):
        gauge.joules()


def test_meter_that_never_answers_is_not_opened() -> None:
    with pytest.raises(CostError, match="timed out"):
        Sampled(replay(None), "wall", period_s=None)


@pytest.mark.parametrize("watts", [-1.0, math.nan, math.inf])
def test_impossible_power_is_refused(watts: float) -> None:
    with pytest.raises(CostError, match="expected a power of 0 W or more"):
        Sampled(replay(watts), "wall", period_s=None)


def test_thread_samples_and_ends() -> None:
    asked = []

    def watts() -> float:
        asked.append(1)
        return 1.0

    gauge = Sampled(watts, "wall", period_s=0.001)
    assert gauge._background is not None
    gauge._background._thread.join(0.1)
    gauge.close()
    assert len(asked) > 2
    assert not gauge._background._thread.is_alive()
