"""Requests a second of the HTTP service on one core, beside bare ASGI in the same run.

    python -m benchmarks.gateway.http_speed [--seconds 5] [--rounds 3]

The server is pinned to core 0, `wrk` with 16 connections to core 1; contenders take turns. Two
models: the committed bundle with weather, and a linear one of 672 values of history made here.
Where the cores are shared with other work, the processor time of a request still tells what one
core can do; the rate does not.
"""

import argparse
import csv
import json
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from frugal_edge.clock import format_time, parse_time

from benchmarks.gateway.small_model import HISTORY, ORIGIN, write_small

ROOT = Path(__file__).parents[2]
CONNECTIONS = 16
SECONDS, ROUNDS = 5, 3
GET, POST, LARGE = "cached GET", "forecast, 672 values in", "forecast, 2,496 values in"
BARE_GET, BARE_POST, BARE_LARGE = "bare GET", "bare POST, 672 values", "bare POST, 2,496 values"
BARE_OF = {GET: BARE_GET, POST: BARE_POST, LARGE: BARE_LARGE}
_LUA = 'wrk.method="POST"\nwrk.headers["Content-Type"]="application/json"\nwrk.body={}\n'
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in")
_P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Shot:
    """What one shot of `wrk` found.

    Attributes
    ----------
    rate
        Requests a second.
    p99
        99th percentile of latency [ms].
    cpu_us
        Processor time of the server for a request [us].
    """

    rate: float
    p99: float
    cpu_us: float


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int
    model: str
    process: psutil.Process


def median(shots: Sequence[Shot]) -> Shot:
    """Take the median of each figure."""
    return Shot(
        statistics.median(one.rate for one in shots),
        statistics.median(one.p99 for one in shots),
        statistics.median(one.cpu_us for one in shots),
    )


def available() -> bool:
    """Say whether there is something to ask with, and a core for each side."""
    return bool(shutil.which("wrk")) and (psutil.cpu_count() or 1) > 1


def measure(seconds: int = SECONDS, rounds: int = ROUNDS) -> dict[str, list[Shot]]:
    """Measure all contenders in turn, by name."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_small(folder)
        reference = next((ROOT / "models" / "load").glob("load-*"))
        example = ROOT / "models" / "load" / "example"
        scripts = {}
        for what, body in (("small", _small_body()), ("large", _body_of(example))):
            scripts[what] = folder / f"{what}.lua"
            scripts[what].write_text(_LUA.format(json.dumps(body.decode())))
        with (
            _started("bare") as bare,
            _started(*_gateway(folder, reference, example)) as large,
            _started(*_gateway(folder, folder / "small", folder / "example")) as small,
        ):
            plan = {
                BARE_GET: (bare, "/", None),
                GET: (small, "/v1/series/small/forecast", None),
                BARE_POST: (bare, "/", scripts["small"]),
                POST: (small, f"/v1/models/{small.model}/forecast", scripts["small"]),
                BARE_LARGE: (bare, "/", scripts["large"]),
                LARGE: (large, f"/v1/models/{large.model}/forecast", scripts["large"]),
            }
            shots: dict[str, list[Shot]] = {contender: [] for contender in plan}
            for _ in range(rounds):
                for contender, (server, path, script) in plan.items():
                    shots[contender].append(_shot(server, path, seconds, script))
    return shots


def _gateway(folder: Path, bundle: Path, example: Path) -> tuple[str, ...]:
    given = ("--bundle", bundle, "--example", example, "--trust", folder / "trust")
    return ("gateway", *map(str, given))


@contextmanager
def _started(*arguments: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.gateway.http_server", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port, model = process.stdout.readline().split()
        yield Server(int(port), model, psutil.Process(process.pid))
    finally:
        process.communicate(timeout=20)


def _shot(server: Server, path: str, seconds: int, script: Path | None) -> Shot:
    command = [
        "taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency",
        *(["-s", str(script)] if script else []), f"http://127.0.0.1:{server.port}{path}",
    ]  # fmt: skip
    before = sum(server.process.cpu_times()[:2])
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used = sum(server.process.cpu_times()[:2]) - before
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"{path}: {told}")
    rate, p99, count = _RATE.search(told), _P99.search(told), _COUNT.search(told)
    assert rate, told
    assert p99, told
    assert count, told
    return Shot(float(rate[1]), float(p99[1]) * _MS[p99[2]], 1e6 * used / int(count[1]))


def _body_of(example: Path) -> bytes:
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


def _small_body() -> bytes:
    values = [round(5 + 2 * ((i * 37) % 100) / 100, 3) for i in range(HISTORY)]
    return json.dumps({"history": values, "origin": ORIGIN}).encode()


def lines(shots: Mapping[str, Sequence[Shot]]) -> Iterator[str]:
    """Write what was found, a line for each contender."""
    for name, found in shots.items():
        middle, rates = median(found), [one.rate for one in found]
        line = (
            f"{name}: {middle.rate:,.0f} req/s ({min(rates):,.0f} to {max(rates):,.0f}),"
            f" p99 {middle.p99:.2f} ms, {middle.cpu_us:.0f} us of CPU for a request"
        )
        if name in BARE_OF:
            other = shots[BARE_OF[name]]
            ratio = statistics.median(a.rate / b.rate for a, b in zip(found, other, strict=True))
            line += f"; {ratio:.1f} times as many as {BARE_OF[name]}"
        yield line


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if not available():
        raise SystemExit("wrk is not installed here, or there is one core: nothing was measured")
    for line in lines(measure(options.seconds, options.rounds)):
        print(line)


if __name__ == "__main__":
    main()
