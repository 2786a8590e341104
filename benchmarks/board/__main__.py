"""Measure the board: ``python -m benchmarks.board [--page docs/benchmarks.md]``.

A store of 10,000 invented runs is served by `frugal-ai board`, and a page of 50 models is weighed.
"""

import argparse
import gzip
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.board.ecoindex import ecoindex
from benchmarks.board.elements import count
from benchmarks.board.synthetic import Shape, write_store
from benchmarks.markdown import fill, table
from benchmarks.sections import write_section

RUNS, WARM = 10_000, 50
_SECTION = "make benchmark-board"
_LONGEST_S = 300.0


@dataclass(frozen=True)
class Served:
    """A board that serves.

    Attributes
    ----------
    first_s, first_cpu_s
        From the start of the program to its first page, wall and CPU time.
    warm_ms, warm_cpu_ms
        Of a further page, median of wall time, mean of CPU time.
    rss_mb
        Peak memory.
    """

    first_s: float
    first_cpu_s: float
    warm_ms: float
    warm_cpu_ms: float
    rss_mb: float


@dataclass(frozen=True)
class Weighed:
    """A page: bytes as sent, elements, requests, EcoIndex."""

    kilobytes: float
    elements: int
    short: int
    requests: int
    score: float


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.board", description=__doc__)
    parser.add_argument("--page", type=Path, help="page whose part is written anew")
    page = parser.parse_args().page
    with tempfile.TemporaryDirectory(prefix="frugal-ai-") as place:
        many = write_store(Path(place) / "many" / "mlflow.db", Shape(RUNS))
        served = serve(many)
        fifty = write_store(
            Path(place) / "fifty" / "mlflow.db", Shape(55, rungs=10, pipelines=1, alike=True)
        )
        weighed = weigh(fifty)
    text = report(served, weighed)
    print(text)
    if page is not None:
        write_section(page, _SECTION, text)
    return 0


def report(served: Served, weighed: Weighed) -> str:
    rows = [
        ("page of 50 models, gzipped", f"{weighed.kilobytes:.1f} kB", "<= 50 kB"),
        ("requests of it", f"{weighed.requests}", "<= 5"),
        ("elements of it, rows beyond 25 left out", f"{weighed.short}", "<= 900"),
        (
            "EcoIndex of it, elements inside of the picture left out",
            f"{weighed.score:.1f}",
            ">= 80",
        ),
        (f"start to first page from {RUNS:,} runs, CPU", f"{served.first_cpu_s:.2f} s", "<= 3 s"),
        ("the same, wall", f"{served.first_s:.2f} s", ""),
        ("a further page, CPU", f"{served.warm_cpu_ms:.0f} ms", "<= 100 ms"),
        ("the same, wall", f"{served.warm_ms:.0f} ms", ""),
        ("peak memory", f"{served.rss_mb:.0f} MB", "<= 250 MB"),
    ]
    told = fill(
        f"`frugal-ai board` over {RUNS:,} invented runs in SQLite, everything that a browser loads "
        "included; wall times are of a machine with other work."
    )
    return f"{told}\n\n{table(('what', 'measured', 'target'), rows)}"


def serve(uri: str) -> Served:
    """Start the program and ask it for pages."""
    with board_of(uri) as (process, address, start):
        answered(address, process)
        first_s, first_cpu_s = time.monotonic() - start, cpu_s(process)
        walls = [_page(f"{address}/?pipeline=synthetic-pv-02")[1] for _ in range(WARM)]
        warm_cpu_s = (cpu_s(process) - first_cpu_s) / WARM
        rss = peak_mb(process)
    return Served(first_s, first_cpu_s, 1e3 * statistics.median(walls), 1e3 * warm_cpu_s, rss)


def weigh(uri: str) -> Weighed:
    """Weigh the first page of a store as a browser gets it."""
    with board_of(uri) as (process, address, _):
        page = answered(address, process)
    found = count(page.decode())
    kilobytes, requests = len(gzip.compress(page)) / 1000, 1 + len(found.sources)
    score = ecoindex(found.outside, requests, kilobytes)
    return Weighed(kilobytes, found.all, found.short, requests, score)


@contextmanager
def board_of(uri: str) -> Iterator[tuple[psutil.Process, str, float]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    order = [sys.executable, "-m", "frugal_ai.cli", "board", "--tracking-uri", uri]
    start = time.monotonic()
    started = subprocess.Popen([*order, "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(started.pid), f"http://127.0.0.1:{port}", start
    finally:
        started.terminate()
        started.wait(30)


def answered(address: str, process: psutil.Process) -> bytes:
    deadline = time.monotonic() + _LONGEST_S
    while process.is_running() and time.monotonic() < deadline:
        try:
            return _page(address)[0]
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise SystemExit("the board did not answer")


def _page(address: str) -> tuple[bytes, float]:
    start = time.monotonic()
    with urllib.request.urlopen(address, timeout=_LONGEST_S) as answer:  # noqa: S310 - loopback
        content = answer.read()
    return bytes(content), time.monotonic() - start


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def peak_mb(process: psutil.Process) -> float:
    """Return the peak of resident memory; on other systems than Linux, what it is now."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.is_file():
        return float(process.memory_info().rss) / 1e6
    line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
    return float(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    raise SystemExit(main())
