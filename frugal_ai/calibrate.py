"""What this machine draws at rest and by busy thread, measured once."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np

from frugal_ai.cost.hardware import Host
from frugal_ai.cost.power.gauge import Gauge, Measured, machine_busy_s
from frugal_ai.errors import CostError

_SPIN = "while True: pass"
_LEAST_R2 = 0.9  # of the line through the phases; below it, power does not follow load
_SETTLED_S = 0.5  # frequency and, of a meter, the mean that it shows


@dataclass(frozen=True)
class Phase:
    """What was seen while some threads were busy: their mean number, and power [W]."""

    busy: float
    watts: float


@dataclass(frozen=True)
class Watts:
    """Powers of a machine.

    Attributes
    ----------
    idle_w
        At rest [W].
    w_per_core
        More by each busy thread [W].
    measured_by
        What measured it.
    """

    idle_w: float
    w_per_core: float
    measured_by: Measured


@contextmanager
def spinning(count: int) -> Iterator[None]:
    """Keep so many threads busy, in processes that end with the ``with``."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        started += [
            subprocess.Popen([sys.executable, "-S", "-c", _SPIN])  # noqa: S603 - our own code
            for _ in range(count)
        ]
        yield
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


@dataclass(frozen=True)
class Bench:
    """What phases are measured with.

    Attributes
    ----------
    clock, sleep
        Time that only grows [s]; wait [s].
    busy
        CPU time of all processes of the machine [s].
    load
        Keeps so many threads busy.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    busy: Callable[[], float] = machine_busy_s
    load: Callable[[int], AbstractContextManager[None]] = spinning


def measure_watts(gauge: Gauge, threads: int, seconds: float, bench: Bench) -> Watts:
    """Measure at rest, with one thread, half of them and all busy, and draw a line.

    Parameters
    ----------
    gauge
        What measures.
    threads
        Of this machine.
    seconds
        Of each phase [s]; longer where the gauge needs it.
    bench
        Clocks and load.

    Raises
    ------
    CostError
        If the gauge fails, or power does not grow with load.
    """
    each = max(seconds, gauge.shortest_s)
    counts = sorted({0, 1, max(1, threads // 2), threads})
    phases = [_phase(gauge, count, each, bench) for count in counts]
    idle_w, w_per_core = fit(phases)
    return Watts(idle_w, w_per_core, gauge.method)


def _phase(gauge: Gauge, count: int, seconds: float, bench: Bench) -> Phase:
    with bench.load(count):
        bench.sleep(_SETTLED_S)
        joules, busy, started = gauge.joules(), bench.busy(), bench.clock()
        bench.sleep(seconds)
        joules, busy, passed = (
            gauge.joules() - joules, bench.busy() - busy, bench.clock() - started,
        )  # fmt: skip
    if passed <= 0 or joules < 0:
        raise CostError(f"calibrate: expected a clock and a meter that go forward, got {passed:g} s"
                        f" and {joules:g} J")  # fmt: skip
    return Phase(busy / passed, joules / passed)


def fit(phases: Sequence[Phase]) -> tuple[float, float]:
    """Fit watts = idle_w + w_per_core x busy threads by least squares.

    Raises
    ------
    CostError
        If there is no line: the load was the same, or power does not follow it.
    """
    busy = np.array([one.busy for one in phases])
    watts = np.array([one.watts for one in phases])
    seen = ", ".join(f"{one.watts:.3g} W at {one.busy:.2g} busy" for one in phases)
    if np.ptp(busy) < 0.5:
        raise CostError(f"calibrate: expected phases of different load, got {seen}; "
                        "let the machine rest")  # fmt: skip
    slope, idle = (float(value) for value in np.polyfit(busy, watts, 1))
    rest = float(np.sum((watts - idle - slope * busy) ** 2))
    around = float(np.sum((watts - watts.mean()) ** 2))
    if slope <= 0 or idle < 0 or rest > (1 - _LEAST_R2) * around:
        raise CostError(f"calibrate: expected power that grows with load, got {seen}")
    return idle, slope


def hardware_yaml(
    host: Host, watts: Watts | None, power: dict[str, str], default_w: float, spread: float
) -> str:
    """Write the description of a machine, with what it rests on as comments.

    Parameters
    ----------
    host
        What was detected.
    watts
        What was measured; None where nothing measures.
    power
        Settings of the source that a run shall use.
    default_w
        TDP of an unknown processor by thread [W].
    spread
        Factor of the 90 % interval of the CPU-time model with it.
    """
    lines = [
        "# This machine, for frugal-ai: cost: {hardware: hardware.yaml}, or FRUGAL_AI_HARDWARE.",
        f"cpu: {_quoted(host.cpu)}",
        f"threads: {host.threads}",
        *([] if host.ram_gb is None else [f"ram_gb: {host.ram_gb:.1f}"]),
    ]
    if watts is None:
        lines += [
            f"# Nothing measures power here. The CPU-time model assumes {default_w:g} W of TDP by",
            f"# thread; the truth is within a factor {spread:g} of its energy in 90 % of cases.",
            "# Better, factor 2: tdp_w and threads of the processor as its maker states them:",
            "# tdp_w: 280",
        ]
    else:
        lines += [
            f"idle_w: {watts.idle_w:.3g}  # the whole machine at rest",
            f"w_per_core: {watts.w_per_core:.3g}  # more by each busy thread",
            f"measured_by: {watts.measured_by}",
        ]
    if power:
        lines.append("power:")
        lines += [f"  {key}: {_quoted(value)}" for key, value in power.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
