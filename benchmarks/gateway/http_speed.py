"""Requests a second of the HTTP service on one core, beside bare ASGI in the same run.

    python -m benchmarks.gateway.http_speed [--seconds 5] [--rounds 3]

The server is pinned to core 0, `wrk` with 16 connections to core 1; contenders take turns. Two
models: the committed bundle with weather, and a linear one of 672 values of history made here.
"""

import argparse
import csv
import json
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from frugal_edge.clock import format_time, parse_time

from benchmarks.gateway.small_model import HISTORY, ORIGIN, write_small

ROOT = Path(__file__).parents[2]
CONNECTIONS = 16
_LUA = 'wrk.method="POST"\nwrk.headers["Content-Type"]="application/json"\nwrk.body={}\n'
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Shot:
    """Requests a second, and the 99th percentile of latency [ms]."""

    rate: float
    p99: float


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    name: str
    port: int
    model: str
    process: psutil.Process


@contextmanager
def started(name: str, *arguments: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.gateway.http_server", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port, model = process.stdout.readline().split()
        yield Server(name, int(port), model, psutil.Process(process.pid))
    finally:
        process.communicate(timeout=20)


def shot(server: Server, path: str, seconds: float, script: Path | None) -> Shot:
    command = [
        "taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--latency",
        *(["-s", str(script)] if script else []), f"http://127.0.0.1:{server.port}{path}",
    ]  # fmt: skip
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"{server.name} {path}: {told}")
    rate, p99 = _RATE.search(told), _P99.search(told)
    assert rate, told
    assert p99, told
    return Shot(float(rate[1]), float(p99[1]) * _MS[p99[2]])


def body_of_example(example: Path) -> bytes:
    with (example / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    step = parse_time(history[1]["timestamp"]) - parse_time(history[0]["timestamp"])
    origin = parse_time(history[-1]["timestamp"]) + step
    with (example / "known.csv").open() as file:
        known = list(csv.DictReader(file))
    first, last = origin - 336 * step, origin + 48 * step
    rows = [row for row in known if first <= parse_time(row["timestamp"]) < last]
    names = [name for name in rows[0] if name not in {"series_id", "timestamp"}]
    return json.dumps(
        {
            "history": [float(row["value"]) for row in history],
            "origin": format_time(origin),
            "known": {name: [float(row[name]) for row in rows] for name in names},
        }
    ).encode()


def small_body() -> bytes:
    values = [round(5 + 2 * ((i * 37) % 100) / 100, 3) for i in range(HISTORY)]
    return json.dumps({"history": values, "origin": ORIGIN}).encode()


def measure(folder: Path, *, slow: bool, seconds: float, rounds: int) -> None:
    reference = next((ROOT / "models" / "load").glob("load-*"))
    example, trust = ROOT / "models" / "load" / "example", folder / "trust"
    extra = ("--slow",) if slow else ()

    def gateway(name: str, bundle: Path, data: Path) -> tuple[str, ...]:
        given = ("--bundle", str(bundle), "--example", str(data), "--trust", str(trust))
        return (name, "gateway", *given, *extra)

    with (
        started("bare ASGI", "bare", *extra) as bare,
        started(*gateway("committed", reference, example)) as committed,
        started(*gateway("small", folder / "small", folder / "example")) as small,
    ):
        large_body, body = body_of_example(example), small_body()
        scripts = [(folder / "large.lua", large_body), (folder / "small.lua", body)]
        for file, content in scripts:
            file.write_text(_LUA.format(json.dumps(content.decode())))
        large_lua, small_lua = (file for file, _ in scripts)
        plan = [
            ("bare GET", bare, "/", None),
            ("cached GET", small, "/v1/series/small/forecast", None),
            ("bare POST, 672 values", bare, "/", small_lua),
            ("forecast, 672 values", small, f"/v1/models/{small.model}/forecast", small_lua),
            ("bare POST, 2,496 values", bare, "/", large_lua),
            ("forecast, committed bundle, 2,496 values", committed,
             f"/v1/models/{committed.model}/forecast", large_lua),
        ]  # fmt: skip
        shots: dict[str, list[Shot]] = {name: [] for name, *_ in plan}
        for _ in range(rounds):
            for name, server, path, script in plan:
                shots[name].append(shot(server, path, seconds, script))
        for name, found in shots.items():
            rates = [one.rate for one in found]
            p99 = statistics.median(one.p99 for one in found)
            print(
                f"  {name:42} {statistics.median(rates):8.0f} req/s"
                f" ({min(rates):.0f} to {max(rates):.0f}), p99 {p99:.2f} ms"
            )
        names = list(shots)
        for ours, other in zip(names[1::2], names[::2], strict=True):
            of = [a.rate / b.rate for a, b in zip(shots[ours], shots[other], strict=True)]
            print(f"  {ours}: {statistics.median(of):.0%} of {other}")
        memory = [one.process.memory_info().rss / 1e6 for one in (bare, committed, small)]
        print(
            "  RSS after it: {:.0f} MB bare, {:.0f} MB committed, {:.0f} MB small".format(*memory)
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed here: nothing was measured")
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_small(folder)
        for slow in (False, True):
            print("h11 and asyncio" if slow else "httptools and uvloop, where installed")
            measure(folder, slow=slow, seconds=options.seconds, rounds=options.rounds)


if __name__ == "__main__":
    main()
