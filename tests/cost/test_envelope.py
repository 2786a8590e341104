import hashlib
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest

from frugal_ai.cost.balance import book_envelope
from frugal_ai.cost.clock import SystemClock
from frugal_ai.cost.context import CostContext, CostSettings, build_context
from frugal_ai.cost.envelope import Envelope
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.errors import CostError

HOSTILE = """
[codecarbon]
save_to_api = true
save_to_file = true
save_to_prometheus = true
output_methods = csv,api
emissions_endpoint = http://127.0.0.1:9
electricitymaps_api_token = secret
co2_signal_api_token = secret
cloud_provider = aws
cloud_region = eu-west-3
region = california
country_iso_code = POL
tracking_mode = machine
output_dir = /nowhere
allow_multiple_runs = false
log_level = debug
pue = 3
"""


@pytest.fixture
def context() -> CostContext:
    return build_context(CostSettings(country="FRA", pue=1.2))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that asks CodeCarbon for all it should not do, on a machine without sockets."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".codecarbon.config").write_text(HOSTILE)
    monkeypatch.setenv("CODECARBON_SAVE_TO_API", "true")
    monkeypatch.setenv("CODECARBON_LOG_LEVEL", "debug")
    return tmp_path


def burn(cpu_s: float) -> None:
    """Compute as numeric libraries do, without the GIL."""
    megabyte = bytes(1_000_000)
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        hashlib.sha256(megabyte)


def test_silent_offline_and_right(
    alone: Path, context: CostContext, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupt = signal.getsignal(signal.SIGINT)
    before = SystemClock().read()
    with Envelope(context, "test") as envelope:
        burn(1.0)
    spent = SystemClock().read() - before
    result = envelope.result
    assert tuple(capfd.readouterr()) == ("", "")
    assert [path.name for path in alone.iterdir()] == [".codecarbon.config"]
    assert "codecarbon.core.telemetry_client" not in sys.modules
    assert signal.getsignal(signal.SIGINT) is interrupt
    assert 0.99 <= result.duration_s <= spent.wall_s
    joules = result.cpu_energy_kwh * 3.6e6 / 1.2
    watts = context.power.w_per_core_dynamic
    assert joules == pytest.approx(watts, rel=0.1)
    assert result.energy_kwh == pytest.approx(
        result.cpu_energy_kwh + result.ram_energy_kwh + result.gpu_energy_kwh
    )
    assert result.emissions_kg == pytest.approx(result.energy_kwh * 56.039 / 1000)
    assert 0 < result.setup_cpu_s <= spent.total_cpu_s - 1.0
    assert 0 < result.setup_wall_s <= spent.wall_s - 0.99
    ram_w = result.ram_energy_kwh * 3.6e6 / 1.2 / result.duration_s
    assert 0.005 < ram_w < 1


def test_balance_of_a_real_run(context: CostContext) -> None:
    meter = CpuMeter()
    ledger = Ledger(context, "r1", "test")
    with Envelope(context, "test") as envelope:
        for rung in ("one", "two"):
            ledger.add("training", meter.measure(lambda: burn(0.4))[1], rung=rung)
        ledger.add("metering", meter.overhead())
        burn(0.3)
    record = book_envelope(ledger, envelope.result)
    assert record.cpu_time_s == pytest.approx(0.3, abs=0.1)
    assert [one.stage for one in ledger.records] == [
        "training",
        "training",
        "metering",
        "unattributed",
        "metering",
    ]


def test_no_result_while_open(context: CostContext) -> None:
    with Envelope(context, "test") as envelope, pytest.raises(CostError, match="still open"):
        _ = envelope.result


def test_hidden_failure_is_told(
    context: CostContext, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from codecarbon.emissions_tracker import BaseEmissionsTracker

    def fail(self: BaseEmissionsTracker) -> NoReturn:
        raise RuntimeError("no hardware")

    monkeypatch.setattr(BaseEmissionsTracker, "_ensure_hardware_ready", fail)
    with Envelope(context, "test") as envelope:
        pass
    with pytest.raises(CostError, match="stopped without a result"):
        _ = envelope.result
    assert tuple(capfd.readouterr()) == ("", "")


def test_threads_end_with_the_envelope_even_after_an_error(context: CostContext) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Envelope(context, "test") as envelope:
        raise ZeroDivisionError
    end = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert envelope.result.duration_s >= 0


def test_codecarbon_is_loaded_only_when_an_envelope_opens() -> None:
    code = (
        "import sys, frugal_ai.cost.balance, frugal_ai.cost.meter, frugal_ai.cost.threads\n"
        "print({'codecarbon', 'pandas', 'numpy', 'psutil'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "set()"


def test_processor_is_not_searched_for() -> None:
    code = (
        "import sys\n"
        "from frugal_ai.cost.context import CostSettings, build_context\n"
        "from frugal_ai.cost.envelope import Envelope\n"
        "with Envelope(build_context(CostSettings(country='FRA')), 'test') as envelope: pass\n"
        "print(envelope.result.codecarbon_version, 'cpuinfo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == [version("codecarbon"), "False"]
    assert not done.stderr
