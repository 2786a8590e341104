"""How every peer is measured: import, training, forecasts from one origin after the other."""

import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.peers.task import FloatArray, Measured, Task

_WARM_DAYS = 60  # enough for every lag that a peer uses


@dataclass(frozen=True)
class Forecast:
    """Forecast from one origin: points [S, H], and quantiles [S, H, Q] where there are any."""

    point: FloatArray
    quantiles: FloatArray | None = None


class Peer(Protocol):
    """A library as the benchmark uses it. Making one imports the library."""

    distribution: str

    def fit(self, task: Task) -> None:
        """Learn from what was observed before the first test origin."""

    def forecast(self, task: Task, origin: int) -> Forecast:
        """Forecast all series from an origin [unix s]; origins come in ascending order."""
        ...


def measured(make: Callable[[], Peer], task: Task) -> Measured:
    """Train a peer once, forecast from every origin, and measure both.

    A small part of the task goes through a peer of its own before, so that nothing is charged for
    what a library loads or compiles on its first call.
    """
    start = time.perf_counter()
    warm = make()
    import_wall = time.perf_counter() - start
    small = task.small(_WARM_DAYS)
    warm.fit(small)
    warm.forecast(small, int(small.origins[0]))

    peer = make()
    start = time.process_time()
    peer.fit(task)
    train_cpu = time.process_time() - start
    start = time.process_time()
    found = [peer.forecast(task, int(origin)) for origin in task.origins]
    origin_cpu = (time.process_time() - start) / len(found)

    point = np.stack([one.point for one in found], axis=1)  # [S, O, H]
    quantiles = [one.quantiles for one in found if one.quantiles is not None]
    return Measured(
        version=version(peer.distribution),
        import_wall_s=import_wall,
        train_cpu_s=train_cpu,
        origin_cpu_ms=1000 * origin_cpu,
        peak_rss_mb=peak_rss_mb(),
        forecast=point.astype(np.float64),
        levels=task.levels if quantiles else (),
        quantiles=np.stack(quantiles, axis=1) if quantiles else np.empty((*point.shape, 0)),
    )


def peak_rss_mb() -> float:
    """Return the largest resident memory so far [MB].

    Linux keeps the peak of the parent in a child's resource usage; its own is in /proc.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(make: Callable[[], Peer]) -> None:
    """Read the task, measure, write: ``python -m ... TASK.npz OUT.npz``."""
    warnings.filterwarnings("ignore")  # of the peers; errors still end the process
    task, out = sys.argv[1:3]
    measured(make, Task.read(Path(task))).write(Path(out))
