"""The board over a real tracking server: ``python -m benchmarks.board.server [--runs 600]``.

`mlflow server` on loopback serves invented runs; `frugal-ai board` reads it. What ten thousand runs
would take is reckoned from it: a server takes the same time for each run that it tells of.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.board.__main__ import RUNS, Served, answered, board_of, cpu_s, peak_mb
from benchmarks.board.synthetic import Shape, write_store
from benchmarks.markdown import table

_LONGEST_S = 120.0


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.board.server", description=__doc__)
    parser.add_argument("--runs", type=int, default=600, help="that the server has")
    runs = parser.parse_args().runs
    with (
        tempfile.TemporaryDirectory(prefix="frugal-ai-") as place,
        _server(Path(place), runs) as (
            process,
            uri,
        ),
    ):
        first = cpu_s(process)
        served, whole_s = _read(uri)
        asked_s = cpu_s(process) - first
    scale = RUNS / runs
    rows = [
        ("first page, of the latest runs", f"{served.first_s:.2f} s", "as long"),
        ("all runs", f"{whole_s:.1f} s", f"{whole_s * scale:.0f} s"),
        ("of that the server's CPU", f"{asked_s:.1f} s", f"{asked_s * scale:.0f} s"),
        ("the board's CPU", f"{served.first_cpu_s:.2f} s", ""),
        ("the board's peak memory", f"{served.rss_mb:.0f} MB", ""),
    ]
    print(table(("what", f"measured, {runs:,} runs", f"for {RUNS:,}"), rows))
    return 0


def _read(uri: str) -> tuple[Served, float]:
    """Ask the board until it has read all; a file is refused before that."""
    with board_of(uri) as (process, address, start):
        answered(address, process)
        first_s = time.monotonic() - start
        while time.monotonic() - start < _LONGEST_S:
            try:
                with urllib.request.urlopen(f"{address}/board.json", timeout=_LONGEST_S) as answer:  # noqa: S310 - loopback
                    json.load(answer)
                break
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                error.close()
                time.sleep(0.1)
        whole_s = time.monotonic() - start
        return Served(first_s, cpu_s(process), 0.0, 0.0, peak_mb(process)), whole_s


@contextmanager
def _server(place: Path, runs: int) -> Iterator[tuple[psutil.Process, str]]:
    store = write_store(place / "mlflow.db", Shape(runs))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    order = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    order += ["--workers", "1", "--backend-store-uri", store]
    order += ["--artifacts-destination", str(place / "artifacts")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    started = subprocess.Popen(
        order, cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    process = psutil.Process(started.pid)
    children: list[psutil.Process] = []
    try:
        answered(f"http://127.0.0.1:{port}/health", process)
        children = process.children(recursive=True)
        yield max(children, key=cpu_s), f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(30)
        for one in psutil.wait_procs(children, 10)[1]:
            one.kill()


if __name__ == "__main__":
    raise SystemExit(main())
