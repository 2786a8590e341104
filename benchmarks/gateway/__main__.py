"""Measure what the gateway takes: ``python -m benchmarks.gateway [--short]``.

Writes its part of ``docs/benchmarks.md``; with ``--short``, fewer cycles and kills, it is printed.
Requests are measured first, while nothing else runs; then the cycles run beside the rest in a
process of their own: of them memory is measured.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.gateway import cycles, http_speed, installs, kills, resident, targets
from benchmarks.gateway.cycles import Growth
from benchmarks.gateway.environment import ROOT, Environment, make_environment
from benchmarks.gateway.http_speed import Shot
from benchmarks.gateway.resident import Resident
from benchmarks.gateway.targets import Bound, least, most
from benchmarks.markdown import fill, item, table
from benchmarks.sections import write_section
from frugal_ai.cost.hardware import detect_host

_PAGE = ROOT / "docs" / "benchmarks.md"
_SECTION = "make benchmark-gateway"
_KILLS, _SEED = 500, 1


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the cycles and kills")
    short = parser.parse_args().short
    share, start = (10 if short else 1), time.monotonic()
    _tell("environment")
    environment = make_environment()
    _tell("requests over HTTP")
    shots = http_speed.measure(1 if short else http_speed.SECONDS) if http_speed.available() else {}
    with ThreadPoolExecutor(1) as beside:
        growth = beside.submit(_cycles, cycles.CYCLES // share)
        _tell("one model, at rest")
        one = resident.measure(environment.python, 1, resident.REST_S)
        _tell("a hundred models")
        hundred = resident.measure(environment.python, 100, None)
        _tell("installs")
        install_s = installs.median_s()
        _tell("kills")
        with tempfile.TemporaryDirectory() as place:
            tally = kills.campaign(_KILLS // share, _SEED, Path(place))
        _tell("cycles")
        grown = growth.result()
    bounds = [
        *_bounds(environment, one, hundred, grown),
        *_speeds(shots),
        most("install, signature to commit, without trial", install_s, 0.5, "s", 2),
        most(f"broken states after {tally.kills} kills", len(tally.broken), 0, "", 0),
    ]
    text = _page(environment, one, grown, bounds, shots)
    if short:
        print(text)
    else:
        write_section(_PAGE, _SECTION, text)
    _tell(f"done in {(time.monotonic() - start) / 60:.1f} minutes")
    return 1 if tally.broken else 0


def _cycles(count: int) -> Growth:
    """Run the cycles in a process of their own."""
    code = (
        "from dataclasses import astuple; from benchmarks.gateway.cycles import measure;"
        f" print(*astuple(measure({count})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    made, *numbers = done.stdout.split()
    return Growth(int(made), *map(float, numbers))


def _bounds(env: Environment, one: Resident, hundred: Resident, grown: Growth) -> list[Bound]:
    rest = None
    if one.rest_cpu_s is not None:
        rest = 100 * resident.share_of_core(one.rest_cpu_s, grown.cpu_ms)
    return [
        most(
            "packages of `frugal-edge[http,mqtt]`, itself not counted", len(env.packages), 20, "", 0
        ),
        most("its environment", env.megabytes, 190, "MB"),
        most("resident, HTTP, MQTT and 1 model", one.rss_mb, 90, "MB"),
        most("resident, HTTP, MQTT and 100 models", hundred.rss_mb, 160, "MB"),
        most("CPU at rest, a look every 15 minutes, of a core", rest, 0.1, "%", 3),
        most(f"growth over {grown.cycles:,} forecast cycles", grown.grown_mb, 2, "MB", 2),
    ]


def _speeds(shots: Mapping[str, Sequence[Shot]]) -> list[Bound]:
    cached, post = (
        http_speed.median(shots[name]) if name in shots else None
        for name in (http_speed.GET, http_speed.POST)
    )
    rate = post.rate if post else None
    return [
        least("stateless forecast, 672 values in, one core", rate, 8000, "req/s"),
        most("its p99, 16 connections", post.p99 if post else None, 6, "ms"),
        least("cached GET, one core", cached.rate if cached else None, 20000, "req/s"),
    ]


def _page(
    env: Environment,
    one: Resident,
    grown: Growth,
    bounds: list[Bound],
    shots: Mapping[str, Sequence[Shot]],
) -> str:
    host = detect_host()
    away = "connected to mosquitto" if one.broker else "without a broker, none is installed"
    parts = [
        "# The gateway",
        fill(
            "`make benchmark-gateway` writes this part. The committed load bundle runs in"
            " `frugal-edge serve`, a process of its own in an environment of its own, with HTTP and"
            f" MQTT, {away}. A hundred models are the same bundle for a hundred series, each opened"
            " by itself. Resident memory is taken after every series had a history and the service"
            " was asked, with the pages of shared libraries. Over HTTP `wrk` asks on 16"
            " connections from the other core, the server has one; bare ASGI is uvicorn with"
            " an application that reads the JSON and answers with a constant."
        ),
        fill(f"Machine: {host.cpu}, {host.threads} threads, {host.os}."),
        table(targets.COLUMNS, targets.rows(bounds)),
        item(
            f"**At rest**: {resident.REST_S:.0f} s in which nobody asks for anything, and"
            f" {grown.cpu_ms:.1f} CPU-ms for each of 96 looks a day, as the cycles took them."
        ),
        item(
            f"**Cycles**: RSS {grown.before_mb:.1f} MB after {cycles.WARM:,} cycles that warm up,"
            f" {grown.after_mb:.1f} MB after {grown.cycles:,} more, each with a reading corrected"
            " and a forecast of the model; every second one also scores a forecast."
        ),
        *(item(f"**HTTP**, {line}.") for line in http_speed.lines(shots)),
        item(f"**Packages**: {', '.join(env.packages)}."),
    ]
    return "\n\n".join(parts) + "\n"


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
