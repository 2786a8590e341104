"""Install the committed bundle again and again, from the check of its signature to the commit.

``python -m benchmarks.gateway.installs`` prints wall and processor time.
"""

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore

from benchmarks.gateway.site import bundle, make_state

TIMES = 11


@dataclass(frozen=True)
class Installs:
    """What installs without trial took.

    Attributes
    ----------
    times
        How many there were.
    median_s, least_s, most_s
        Wall time, from signature to commit [s].
    cpu_s
        Processor time of one, the self-test in its child included [s].
    """

    times: int
    median_s: float
    least_s: float
    most_s: float
    cpu_s: float


def measure(times: int = TIMES) -> Installs:
    """Install so often."""
    with tempfile.TemporaryDirectory() as name:
        state = make_state(Path(name))
        trust = TrustStore.read(state / "trust")
        how, before = How(trial=0, force=True), _cpu_s()
        took = [install(state, bundle(), trust, how).seconds for _ in range(times)]
        used = (_cpu_s() - before) / times
    return Installs(times, statistics.median(took), min(took), max(took), used)


def _cpu_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def main() -> None:
    """Print what was found."""
    start = time.monotonic()
    found = measure()
    print(
        f"{found.times} installs, signature to commit, without trial: median {found.median_s:.2f} s"
        f" ({found.least_s:.2f} to {found.most_s:.2f}), {found.cpu_s:.2f} CPU-s each;"
        f" {time.monotonic() - start:.0f} s in all"
    )


if __name__ == "__main__":
    main()
