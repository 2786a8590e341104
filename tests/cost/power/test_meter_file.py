import re
from collections.abc import Callable
from pathlib import Path

import pytest

from frugal_ai.cost.power.meter_file import MeterFile
from frugal_ai.errors import CostError

START = 1_700_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Append text, and return the file."""
    path = tmp_path / "meter.csv"

    def append(text: str) -> Path:
        with path.open("a") as file:
            file.write(text)
        return path

    return append


Write = Callable[[str], Path]


def opened(path: Path, clock: Clock) -> MeterFile:
    return MeterFile(path, clock, clock)


def test_watts(write: Write, clock: Clock) -> None:
    gauge = opened(write(f"time,w\n{START},10\n"), clock)
    assert gauge.joules() == 0
    write(f"{START + 10},30\n{START + 20},30\n")
    clock.now += 21
    assert gauge.joules() == pytest.approx(200 + 300 + 30)


@pytest.mark.parametrize(("unit", "joules"), [("j", 1.0), ("wh", 3600.0), ("kwh", 3.6e6)])
def test_counters(unit: str, joules: float, write: Write, clock: Clock) -> None:
    gauge = opened(write(f"time, {unit}\n{START},100\n"), clock)
    write(f"{START + 10},102\n")
    clock.now += 10
    assert gauge.joules() == pytest.approx(2 * joules)
    clock.now += 5
    assert gauge.joules() == pytest.approx(3 * joules)


def test_iso_times_and_a_line_that_is_not_finished(write: Write, clock: Clock) -> None:
    gauge = opened(write("time,w\n2023-11-14T23:13:20+01:00,10\n2023-11-14T22:13:3"), clock)
    write("0Z,10\n")
    clock.now += 10
    assert gauge.joules() == pytest.approx(100)


def test_energy_never_goes_down_when_a_line_says_less_than_was_expected(
    write: Write, clock: Clock
) -> None:
    gauge = opened(write(f"time,w\n{START},100\n"), clock)
    clock.now += 10
    expected = gauge.joules()
    write(f"{START + 10},0\n")
    assert gauge.joules() == expected == pytest.approx(1000)


def test_shortest_work_spans_several_lines(write: Write, clock: Clock) -> None:
    assert opened(write(f"time,w\n{START - 1},1\n{START},1\n"), clock).shortest_s == 10
    write(f"{START + 30},1\n")
    clock.now += 30
    gauge = opened(write(""), clock)
    assert gauge.shortest_s == 150


def test_meter_that_stops(write: Write, clock: Clock) -> None:
    gauge = opened(write(f"time,w\n{START},10\n"), clock)
    clock.now += 61
    with pytest.raises(CostError, match="reading of the last 60 s, the last one is 61 s old"):
        gauge.joules()


def test_meter_that_counts_backwards(write: Write, clock: Clock) -> None:
    gauge = opened(write(f"time,kwh\n{START},5\n"), clock)
    write(f"{START + 1},4.9\n")
    clock.now += 1
    with pytest.raises(CostError, match="expected a meter that counts upwards, got"):
        gauge.joules()


@pytest.mark.parametrize("step", [0, -3600])
def test_clock_of_the_meter_that_jumps(step: float, write: Write, clock: Clock) -> None:
    gauge = opened(write(f"time,w\n{START},5\n"), clock)
    write(f"{START + step},5\n")
    with pytest.raises(CostError, match="expected ascending times"):
        gauge.joules()


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_clock_of_this_machine_that_jumps(jump: float, write: Write, clock: Clock) -> None:
    steady = Clock()
    gauge = MeterFile(write(f"time,w\n{START},5\n"), clock, steady)
    clock.now += jump
    with pytest.raises(CostError, match=re.escape(f"it was set by {jump:+.0f} s")):
        gauge.joules()


def test_reading_from_the_future(write: Write, clock: Clock) -> None:
    with pytest.raises(CostError, match="the last one is -100 s old"):
        opened(write(f"time,w\n{START + 100},5\n"), clock)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected readings, found none"),
        ("time,w\n", "expected readings, found none"),
        ("zeit;watt\n1;2\n", "expected the first line time,w or"),
        (f"time,w\n{START},-1\n", "expected values of 0 or more"),
        (f"time,w\n{START},nan\n", "expected values of 0 or more"),
        ("time,w\nyesterday,1\n", "expected time,value"),
        ("time,w\n2023-11-14T22:13:20,1\n", "expected time,value"),
    ],
)
def test_other_files_are_refused(text: str, why: str, write: Write, clock: Clock) -> None:
    with pytest.raises(CostError, match=why):
        opened(write(text), clock)


def test_file_that_is_not_there(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(CostError, match="cannot be read"):
        opened(tmp_path / "absent.csv", clock)
