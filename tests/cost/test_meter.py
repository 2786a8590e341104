import gc
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from frugal_ai.cost.clock import Clock, Reading, SystemClock
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.cost.pace import Pace
from frugal_ai.errors import CostError


class FakeClock:
    """Moves only when work is done on it."""

    def __init__(self) -> None:
        self.now = Reading(10.0, 1.0, 100.0)

    def read(self) -> Reading:
        return self.now

    def spend(self, cpu_s: float, children_s: float = 0.0, wall_s: float | None = None) -> None:
        self.now = Reading(
            self.now.cpu_s + cpu_s,
            self.now.children_cpu_s + children_s,
            self.now.wall_s + (cpu_s if wall_s is None else wall_s),
        )


def durations(clock: FakeClock, cpu_s: list[float]) -> Callable[[], int]:
    """Work whose executions take these times, the last one for ever after."""
    calls = iter(range(10**9))

    def work() -> int:
        call = next(calls)
        clock.spend(cpu_s[min(call, len(cpu_s) - 1)])
        return call

    return work


def burn(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


def test_long_work_is_executed_once() -> None:
    clock = FakeClock()
    result, cost = CpuMeter(block_cpu_s=0.02, blocks=5, clock=clock).measure(
        durations(clock, [0.125])
    )
    assert result == 0
    assert (cost.n_repeats, cost.n_blocks, cost.rel_spread) == (1, 1, None)
    assert cost.cpu_s == cost.total_cpu_s == pytest.approx(0.125)
    assert cost.rel_std is None


def test_short_work_is_repeated_without_its_cold_start() -> None:
    clock = FakeClock()
    meter = CpuMeter(block_cpu_s=0.02, blocks=5, clock=clock)
    result, cost = meter.measure(durations(clock, [0.015, 0.001]))
    assert result == 0  # of the first execution
    assert cost.cpu_s == pytest.approx(0.001)
    assert cost.wall_s == pytest.approx(0.001)
    assert cost.n_blocks == 4
    assert cost.n_repeats * cost.cpu_s >= 0.02
    assert cost.rel_spread == pytest.approx(0, abs=1e-9)


def test_the_least_block_counts_and_spread_is_the_range_over_it() -> None:
    clock = FakeClock()
    # every execution fills a block: the first is discarded, then as many count as fit into 0.1 s
    work = durations(clock, [0.03, 0.05, 0.04, 0.06])
    _, cost = CpuMeter(block_cpu_s=0.02, blocks=5, clock=clock).measure(work)
    assert cost.n_repeats == 1
    assert cost.cpu_s == pytest.approx(0.04)
    assert cost.rel_spread == pytest.approx(0.02 / 0.04)
    assert cost.n_blocks == 3
    assert cost.rel_std == pytest.approx(0.5 / 1.693)


class SlowPhase(Pace):
    """A machine that is this much slower than it has been."""

    def __init__(self, slower: float) -> None:
        super().__init__()
        self._slower = slower

    def slowdown(self, clock: Clock) -> float:
        return self._slower


def test_a_slow_phase_of_the_machine_is_in_the_spread() -> None:
    def spread(slower: float) -> float | None:
        clock = FakeClock()
        meter = CpuMeter(block_cpu_s=0.02, blocks=5, clock=clock, pace=SlowPhase(slower))
        return meter.measure(durations(clock, [0.03, 0.05, 0.04, 0.06]))[1].rel_spread

    assert spread(0.1) == pytest.approx(0.5)  # the blocks swing by more
    assert spread(0.6) == pytest.approx(0.6)


def test_books_balance() -> None:
    clock = FakeClock()
    meter = CpuMeter(block_cpu_s=0.02, blocks=5, clock=clock)
    before = clock.read()
    costs = [meter.measure(durations(clock, [0.01, 0.003]))[1] for _ in range(3)]
    costs.append(meter.measure(durations(clock, [0.7]))[1])
    spent = (clock.read() - before).total_cpu_s
    assert sum(cost.cpu_s for cost in costs) + meter.overhead().cpu_s == pytest.approx(spent)
    assert meter.overhead().cpu_s < 3 * 6 * 0.04


def test_repeating_is_bounded_by_the_blocks() -> None:
    clock = FakeClock()
    meter = CpuMeter(block_cpu_s=0.02, blocks=5, clock=clock)
    _, cost = meter.measure(durations(clock, [0.0999]))
    assert cost.total_cpu_s <= 4 * 0.1  # three times, which a spread takes at least
    _, cost = meter.measure(durations(clock, [0.021]))
    assert cost.total_cpu_s <= 5 * 0.0211


def test_work_that_must_run_once_runs_once() -> None:
    clock = FakeClock()
    work = durations(clock, [0.001])
    _, cost = CpuMeter(clock=clock).measure(work, repeat=False)
    assert cost.cpu_s == pytest.approx(0.001)
    assert work() == 1


def test_never_nothing() -> None:
    clock = FakeClock()
    _, cost = CpuMeter(clock=clock).measure(lambda: None, repeat=False)
    assert cost.cpu_s > 0


def test_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(CostError, match="clock stands still"):
        CpuMeter(clock=FakeClock()).measure(lambda: None)


def test_clock_that_stops_midway_is_refused() -> None:
    clock = FakeClock()
    with pytest.raises(CostError, match="run forward"):
        CpuMeter(clock=clock).measure(durations(clock, [0.03, 0.03, 0.0]))


def test_clock_that_runs_backwards_is_refused() -> None:
    clock = FakeClock()
    with pytest.raises(CostError, match="run forward"):
        CpuMeter(clock=clock).measure(lambda: clock.spend(0.2, wall_s=-1.0))


def test_children_are_part_of_the_work() -> None:
    clock = FakeClock()
    _, cost = CpuMeter(clock=clock).measure(lambda: clock.spend(0.1, children_s=0.3))
    assert cost.cpu_s == pytest.approx(0.4)
    assert cost.children_cpu_s == pytest.approx(0.3)


@pytest.mark.parametrize(("block_cpu_s", "blocks"), [(0.0, 5), (-1.0, 5), (0.02, 1)])
def test_senseless_settings_are_refused(block_cpu_s: float, blocks: int) -> None:
    with pytest.raises(CostError, match="expected"):
        CpuMeter(block_cpu_s, blocks)


def test_collections_are_off_in_blocks_and_back_on_after() -> None:
    clock = FakeClock()
    seen = []

    def work() -> None:
        seen.append(gc.isenabled())
        clock.spend(0.01)

    assert gc.isenabled()
    CpuMeter(clock=clock).measure(work)
    assert seen[0]
    assert not any(seen[1:])
    assert gc.isenabled()


def test_collections_are_back_on_after_an_error() -> None:
    clock = FakeClock()
    calls = []

    def work() -> None:
        calls.append(1)
        clock.spend(0.01)
        if len(calls) > 3:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        CpuMeter(clock=clock).measure(work)
    assert gc.isenabled()


def test_a_real_millisecond_is_a_millisecond() -> None:
    costs = [CpuMeter().measure(lambda: burn(0.001))[1].cpu_s for _ in range(5)]
    assert min(costs) >= 0.001
    assert max(costs) <= 0.0015  # burn() overshoots by one reading of the clock


def test_a_real_child_is_counted() -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass\nprint(time.process_time())"
    output, cost = CpuMeter().measure(
        lambda: subprocess.run([sys.executable, "-Sc", code], capture_output=True, check=True)
    )
    told = float(output.stdout)
    assert cost.n_blocks == 1
    assert told <= cost.children_cpu_s <= told * 1.05 + 0.05  # it also had to end
    assert cost.cpu_s >= cost.children_cpu_s


def test_memory_is_recorded() -> None:
    _, cost = CpuMeter().measure(lambda: None, repeat=False)
    assert cost.rss_peak_bytes is not None
    assert 5e6 < cost.rss_peak_bytes < 1e11


def test_system_clock_runs_forward_and_sees_threads_only_when_they_work() -> None:
    clock = SystemClock()
    before = clock.read()
    time.sleep(0.05)
    slept = clock.read() - before
    assert slept.wall_s >= 0.05
    assert 0 <= slept.total_cpu_s < 0.05
