"""``frugal-edge serve`` as a process of its own: memory, and processor time at rest.

``python -m benchmarks.gateway.resident PYTHON`` takes the interpreter of an environment with
``frugal-edge[http,mqtt]``. The broker is mosquitto where it is installed; else it is away.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from frugal_edge.clock import format_time

from benchmarks.gateway.site import DAY_S, Example, make_state, read_example

REST_S = 60.0
_STARTING_S = 120.0
_ROWS = 500  # of a message
_PER_DAY = 96  # looks, one every 15 minutes


@dataclass(frozen=True)
class Resident:
    """A gateway that runs.

    Attributes
    ----------
    models
        How many it has open.
    rss_mb
        Resident memory after forecasts and requests [MB], pages of shared libraries included.
    rest_cpu_s
        Processor time in a second at rest [s/s]; None where it was not measured.
    broker
        Whether it was connected to one.
    """

    models: int
    rss_mb: float
    rest_cpu_s: float | None
    broker: bool


def free_port() -> int:
    """Find a port that nobody has."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


@contextlib.contextmanager
def broker(place: Path) -> Iterator[int | None]:
    """Run mosquitto on a free port; None where it is not installed."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    configuration = place / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen(
        [program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def measure(python: Path, models: int, rest_s: float | None) -> Resident:
    """Start a gateway, give it readings, ask it, and look at its memory and at its rest."""
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as mqtt:
        place, port = Path(name), free_port()
        make_state(place, models)
        config = place / "gateway.yaml"
        config.write_text(
            f"gateway: bench\nstate: state\nhttp: {{port: {port}}}\n"
            f"mqtt: {{host: 127.0.0.1, port: {mqtt or free_port()}}}\n"
        )
        with (place / "log").open("wb") as log:
            command = [str(python), "-m", "frugal_edge", "serve", "--config", str(config)]
            process = subprocess.Popen(command, stderr=log, cwd=place)
            try:
                seen = psutil.Process(process.pid)
                _wait(process, port, place / "log")
                _exercise(port, models)
                rest = None if rest_s is None else _rest(seen, rest_s)
                return Resident(models, seen.memory_info().rss / 1e6, rest, mqtt is not None)
            finally:
                process.terminate()
                process.wait(30)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _STARTING_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"the gateway did not start:\n{log.read_text()[-2000:]}")


def _exercise(port: int, models: int) -> None:
    """Send a history that ends now for every series, and ask for what there is."""
    example, now = read_example(), int(time.time())
    late = (now - example.end) // example.step_s * example.step_s
    for number in range(models):
        series = example.series_id if number == 0 else f"feeder-{number}"
        for rows in _values(example, late):
            _post(port, f"/v1/series/{series}/observations", rows)
    for path in ("/v1/models", "/metrics", "/openapi.json"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            answer.read()


def _values(example: Example, late: int) -> Iterator[Sequence[object]]:
    rows = [
        {"timestamp": format_time(time_ + late), "value": value} for time_, value in example.rows
    ]
    kept = rows[-28 * DAY_S // example.step_s :]
    for start in range(0, len(kept), _ROWS):
        yield kept[start : start + _ROWS]


def _post(port: int, path: str, content: object) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(content).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        answer.read()


def _rest(process: psutil.Process, seconds: float) -> float:
    """Return processor time in a second while nobody asks for anything."""
    time.sleep(2)  # what was asked for is done
    before, start = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    used = after.user - before.user + after.system - before.system
    return used / (time.monotonic() - start)


def share_of_core(rest_cpu_s: float, cycle_ms: float) -> float:
    """Return the share of a core with a look every 15 minutes."""
    return rest_cpu_s + cycle_ms / 1000 * _PER_DAY / DAY_S


def main(python: Path) -> None:
    """Print what one and a hundred models take."""
    for models, rest_s in ((1, REST_S), (100, None)):
        found = measure(python, models, rest_s)
        rest = "" if found.rest_cpu_s is None else f", at rest {100 * found.rest_cpu_s:.3f} %"
        print(f"{models} models: {found.rss_mb:.1f} MB{rest}, broker {found.broker}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
