"""Watts of a simulated machine, and the description of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from frugal_ai.calibrate import Bench, Phase, Watts, fit, hardware_yaml, measure_watts, spinning
from frugal_ai.commands.calibrate import calibrate
from frugal_ai.cost.clock import SystemClock
from frugal_ai.cost.context import CostSettings, build_context
from frugal_ai.cost.hardware import Host, read_hardware
from frugal_ai.cost.power.gauge import Measured
from frugal_ai.errors import CostError, OutputError

HOST = Host(cpu='AMD "EPYC"', threads=4, ram_gb=25.0, os="Linux", python="3.11.7")


class Machine:
    """Draws 12 W and 5 W by busy thread; something else keeps half a thread busy."""

    method: Measured = "wall"
    shortest_s = 10.0

    def __init__(self, watts: float = 5.0) -> None:
        self.watts, self.now, self.spent, self.count, self.waited = watts, 0.0, 0.0, 0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.spent += (self.count + 0.5) * seconds
        self.waited = max(self.waited, seconds)

    def joules(self) -> float:
        return 12 * self.now + self.watts * self.spent

    def close(self) -> None: ...

    @contextmanager
    def load(self, count: int) -> Iterator[None]:
        self.count = count
        yield
        self.count = 0

    @property
    def bench(self) -> Bench:
        return Bench(lambda: self.now, self.sleep, lambda: self.spent, self.load)


def test_watts_of_a_machine_that_is_not_quite_at_rest() -> None:
    machine = Machine()
    found = measure_watts(machine, threads=4, seconds=3, bench=machine.bench)
    assert found.idle_w == pytest.approx(12)
    assert found.w_per_core == pytest.approx(5)
    assert found.measured_by == "wall"
    assert machine.waited == machine.shortest_s


def test_power_that_falls_with_load_is_refused() -> None:
    machine = Machine(watts=-1.0)
    with pytest.raises(CostError, match="expected power that grows with load, got"):
        measure_watts(machine, threads=4, seconds=3, bench=machine.bench)


@pytest.mark.parametrize(
    ("phases", "why"),
    [
        ([Phase(2.0, 10), Phase(2.1, 11)], "phases of different load"),
        ([Phase(0, 10), Phase(1, 40), Phase(2, 9), Phase(3, 30)], "grows with load"),
    ],
)
def test_no_line(phases: list[Phase], why: str) -> None:
    with pytest.raises(CostError, match=why):
        fit(phases)


def test_spinning_threads_are_busy_and_end() -> None:
    clock = SystemClock()
    before = clock.read()
    with spinning(1):
        while clock.read().wall_s - before.wall_s < 0.3:
            sum(range(100_000))
    assert (clock.read() - before).children_cpu_s > 0


def test_measured_watts_come_before_the_tdp(tmp_path: Path) -> None:
    path = tmp_path / "hardware.yaml"
    power = {"source": "rapl"}
    path.write_text(hardware_yaml(HOST, Watts(12.0, 5.0, "rapl"), power, 4.0, 2.5))
    hardware = read_hardware(path)
    assert (hardware.cpu, hardware.threads, hardware.ram_gb) == ('AMD "EPYC"', 4, 25.0)
    assert hardware.power.source == "rapl"
    model = build_context(CostSettings(country="FRA", hardware=hardware, threads=2), HOST).power
    assert (model.w_per_core_dynamic, model.w_idle_share) == (5.0, 6.0)
    assert (model.quality, model.spread) == ("medium", 1.25)


def test_machine_without_a_meter_keeps_the_flagged_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hardware.yaml"
    path.write_text(hardware_yaml(HOST, None, {}, 4.0, 2.5))
    monkeypatch.setenv("FRUGAL_AI_HARDWARE", str(path))
    context = build_context(CostSettings(country="FRA"), HOST)
    assert context.hardware.default
    assert context.power.spread == 2.5
    assert context.hardware.cpu_model == 'AMD "EPYC"'


def test_command_describes_and_does_not_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "hardware.yaml"
    arguments = ["--source", "cpu_time", "--out", str(out)]
    done = CliRunner().invoke(calibrate, arguments)
    assert done.exit_code == 0, done.output
    assert "Nothing measures power here" in done.output
    assert read_hardware(out).power.source == "cpu_time"
    again = CliRunner().invoke(calibrate, arguments)
    assert isinstance(again.exception, OutputError)


def test_source_without_its_place(tmp_path: Path) -> None:
    done = CliRunner().invoke(calibrate, ["--source", "http", "--out", str(tmp_path / "h.yaml")])
    assert isinstance(done.exception, CostError)
    assert "expected url beside source: http" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("idle_w: 3\n", "expected w_per_core, idle_w and measured_by together"),
        ("watts: 3\n", "watts: unknown key"),
        ("power: {source: sun}\n", r"power\.source"),
        ("- 1\n", "expected keys and values"),
    ],
)
def test_descriptions_that_are_refused(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "hardware.yaml"
    path.write_text(text)
    with pytest.raises(CostError, match=why):
        read_hardware(path)


def test_readings_are_beside_the_description(tmp_path: Path) -> None:
    path = tmp_path / "hardware.yaml"
    path.write_text("power: {file: meter.csv}\n")
    assert read_hardware(path).power.file == tmp_path / "meter.csv"
