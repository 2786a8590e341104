"""Forecast again and again in one process, and look how much memory is left over.

``python -m benchmarks.gateway.cycles [CYCLES]``. A gateway with the committed load bundle is taken
to and fro between two days by a clock of its own, so that every cycle forecasts; readings are
corrected meanwhile, forecasts are scored, some readings are refused.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from frugal_edge.clock import format_time
from frugal_edge.errors import EdgeError
from frugal_edge.gateway.config import GatewayConfig, PowerSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.quality import Quality

from benchmarks.gateway.site import DAY_S, Example, make_state, read_example

CYCLES, WARM = 100_000, 2_000
_MB = 1e6
_POWER = PowerSettings(2.0, 4.0, 56.0, "assumed")


@dataclass(frozen=True)
class Growth:
    """What so many cycles took.

    Attributes
    ----------
    cycles
        Counted after some that warm up.
    before_mb, after_mb
        Resident memory [MB].
    cpu_ms
        Processor time of a cycle [ms], the corrected reading included.
    wall_s
        Of all [s].
    """

    cycles: int
    before_mb: float
    after_mb: float
    cpu_ms: float
    wall_s: float

    @property
    def grown_mb(self) -> float:
        """What was left over [MB]."""
        return self.after_mb - self.before_mb


class Days:
    """A gateway between two days."""

    def __init__(self, gateway: Gateway, example: Example, clock: list[float]) -> None:
        self._gateway = gateway
        self._example = example
        self._clock = clock

    def run(self, cycles: int) -> None:
        """Forecast so often; a cycle that gives none of the model is an error."""
        for cycle in range(cycles):
            self._clock[0] = self._example.end + 60 - DAY_S * (cycle % 2 == 0)
            self._read(cycle)
            issued = self._gateway.cycle()
            if len(issued) != 1 or issued[0].quality is not Quality.MODEL:
                raise EdgeError(f"cycle {cycle}: expected one forecast of the model, got {issued}")
            if cycle % 2:
                self._clock[0] += self._example.step_s
                self._gateway.cycle()  # the forecast of the day before is over now, and scored

    def _read(self, cycle: int) -> None:
        """Correct a reading of two days ago, and every tenth time send one that is refused."""
        time_, value = self._example.rows[-100]
        row = {"timestamp": format_time(time_), "value": value + cycle % 7 / 1000}
        rows = [row, {"timestamp": "never", "value": cycle}] if cycle % 10 == 0 else [row]
        self._gateway.observe(self._example.series_id, rows, "http")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send the log to nowhere."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


@contextlib.contextmanager
def working() -> Iterator[Days]:
    """Open a gateway that has a history."""
    with tempfile.TemporaryDirectory() as place, quiet():
        state, example = make_state(Path(place)), read_example()
        clock = [float(example.end + 60)]
        gateway = Gateway(GatewayConfig("bench", state, power=_POWER), lambda: clock[0])
        for rows in example.messages():
            gateway.observe(example.series_id, rows, "http")
        yield Days(gateway, example, clock)
        gateway.close()


def measure(cycles: int = CYCLES) -> Growth:
    """Run cycles after some that warm up."""
    with working() as days:
        own = psutil.Process()
        days.run(WARM)
        before, cpu, wall = own.memory_info().rss, time.process_time(), time.perf_counter()
        days.run(cycles)
        return Growth(
            cycles=cycles,
            before_mb=before / _MB,
            after_mb=own.memory_info().rss / _MB,
            cpu_ms=1000 * (time.process_time() - cpu) / cycles,
            wall_s=time.perf_counter() - wall,
        )


def main(cycles: int) -> None:
    """Print what was found."""
    found = measure(cycles)
    print(
        f"{found.cycles} cycles in {found.wall_s:.0f} s, {found.cpu_ms:.2f} CPU-ms each;"
        f" RSS {found.before_mb:.1f} MB to {found.after_mb:.1f} MB, {found.grown_mb:+.2f} MB"
    )


if __name__ == "__main__":
    main(int("".join(sys.argv[1:2]) or CYCLES))
