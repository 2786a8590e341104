"""Clean processes from their start to the first forecast."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.environments import ROOT
from benchmarks.peers.work import FailedError

_PATH = "PYTHONPATH"
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # what is installed has its bytecode beside it


@dataclass(frozen=True)
class Cold:
    """Medians: wall time to the first forecast [ms], CPU time of it [ms], peak memory [MB]."""

    wall_ms: float
    cpu_ms: float
    rss_mb: float


def environment() -> dict[str, str]:
    """Return the environment of a process that starts as a script and finds the benchmarks."""
    environ = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    before = environ.get(_PATH)
    environ[_PATH] = os.pathsep.join([str(ROOT), *([before] if before else [])])
    return environ


def cold_starts(commands: Mapping[str, Sequence[str]], repeats: int) -> dict[str, Cold]:
    """Start each command several times, one after the other in turn.

    Each prints one line of JSON, ``{"cpu_ms": ..., "rss_mb": ...}``, when it has its first
    forecast.

    Raises
    ------
    FailedError
        If one ends without; says the last line that it printed.
    """
    for command in commands.values():
        _start(command)  # files and bytecode are read from memory from here on
    seen: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            seen[name].append(_start(command))
    return {
        name: Cold(*(statistics.median(values) for values in zip(*rows, strict=True)))
        for name, rows in seen.items()
    }


def _start(command: Sequence[str]) -> tuple[float, float, float]:
    environ = environment()
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        wall_ms = 1000 * (time.perf_counter() - start)
        _, errors = process.communicate()
    if process.returncode or not line:
        lines = errors.strip().splitlines() or [f"exit code {process.returncode}"]
        raise FailedError(f"{' '.join(command)}: {lines[-1]}")
    found = json.loads(line)
    return wall_ms, found["cpu_ms"], found["rss_mb"]
