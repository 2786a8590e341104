"""Readings before and after work: shares, failures, and what a run does about them."""

from pathlib import Path

import pytest

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.cost.power.gauge import Drawn, Probe, machine_busy_s
from frugal_ai.cost.replay import ReplayGauge
from frugal_ai.errors import CostError


class Steps:
    """Counts up by so many seconds at each reading."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now

    def read(self) -> Reading:
        return Reading(cpu_s=self(), children_cpu_s=0.0, wall_s=2 * self.now)


def probe(
    *joules: float | None, busy: float = 8.0, strict: bool = False
) -> tuple[Probe, list[str]]:
    told: list[str] = []
    return Probe(ReplayGauge(*joules), strict=strict, tell=told.append, busy=Steps(busy)), told


def measure(of: Probe, cpu_s: float = 2.0) -> Drawn | None:
    _, measured = CpuMeter(clock=Steps(cpu_s), probe=of).measure(lambda: None, repeat=False)
    return measured.drawn


def test_difference_over_the_work() -> None:
    one, told = probe(100, 140)
    assert measure(one) == Drawn(joules=40, busy_s=8)
    assert (one.seen.joules, one.seen.busy_s, one.seen.wall_s) == (40, 8, 4)
    assert told == []


def test_own_time_is_the_least_that_the_machine_was_busy() -> None:
    one, _ = probe(0, 40, busy=0.5)
    assert measure(one) == Drawn(joules=40, busy_s=2)


def test_work_too_short_for_the_gauge_is_not_measured() -> None:
    one, told = probe(0)
    assert measure(one, cpu_s=0.4) is None
    assert told == []


@pytest.mark.parametrize("joules", [(None,), (5, None), (5, 4)])
def test_gauge_that_fails_is_given_up_and_told_once(joules: tuple[float | None, ...]) -> None:
    one, told = probe(*joules)
    assert measure(one) is None
    assert measure(one) is None  # it would raise StopIteration if it were read again
    assert len(told) == 1
    assert told[0].startswith("no more measured power, the CPU-time model takes over: rapl: ")


@pytest.mark.parametrize("joules", [(None,), (5, None), (5, 4)])
def test_gauge_that_fails_stops_the_run_where_that_is_asked_for(
    joules: tuple[float | None, ...],
) -> None:
    one, told = probe(*joules, strict=True)
    with pytest.raises(CostError, match="rapl: "):
        measure(one)
    assert told == []


def test_repeated_work_is_not_measured() -> None:
    one, _ = probe(0, 1)
    meter = CpuMeter(block_cpu_s=1.5, clock=Steps(2.0), probe=one)
    _, measured = meter.measure(lambda: None)
    assert measured.n_blocks > 1
    assert measured.drawn is None


def test_closing_ends_the_gauge() -> None:
    gauge = ReplayGauge()
    Probe(gauge).close()
    assert gauge.closed


def test_busy_time_by_hand(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 30 9999 7 3 1 50 0 0\ncpu0 1 1 1 1 1 1 1 1\n")
    assert machine_busy_s(stat) == pytest.approx(1.54)


def test_busy_time_of_this_machine_grows() -> None:
    before = machine_busy_s()
    CpuMeter(block_cpu_s=0.01).measure(_spin)
    assert machine_busy_s() > before


def _spin() -> int:
    return sum(range(20_000))


@pytest.mark.parametrize("text", ["", "cpu 1 2\n", "cpu a b c d e f g\n"])
def test_other_systems_are_told(text: str, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(text)
    with pytest.raises(CostError, match="expected the CPU time of all processes"):
        machine_busy_s(stat)
