"""The parts of the benchmark, in the order in which they are measured."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gateway import cycles, environment, http_speed, installs, kills, resident
from benchmarks.gateway.cycles import Growth
from benchmarks.gateway.environment import ROOT, Environment
from benchmarks.gateway.http_speed import Shot
from benchmarks.gateway.installs import Installs
from benchmarks.gateway.kills import Tally
from benchmarks.gateway.records import Part, Record
from benchmarks.gateway.resident import Resident

KILLS, SEED = 500, 1
_LESS = 10  # times fewer cycles and kills for a short look


@dataclass(frozen=True)
class Residents:
    """A gateway with one model and one with a hundred."""

    one: Resident
    hundred: Resident


Shots = dict[str, list[Shot]]


def _http(short: bool) -> Shots:
    if not http_speed.available():
        raise SystemExit("http: wrk is not installed here, or there is one core")
    return http_speed.measure(1 if short else http_speed.SECONDS)


def _residents(_short: bool) -> Residents:
    python = environment.installed() or environment.make_environment().python
    return Residents(
        resident.measure(python, 1, resident.REST_S), resident.measure(python, 100, None)
    )


def _kills(short: bool) -> Tally:
    with tempfile.TemporaryDirectory() as place:
        return kills.campaign(KILLS // (_LESS if short else 1), SEED, Path(place))


def _cycles(short: bool) -> Growth:
    """Run the cycles in a process of their own: of it memory is measured."""
    count = cycles.CYCLES // (_LESS if short else 1)
    code = (
        "from dataclasses import astuple; from benchmarks.gateway.cycles import measure;"
        f" print(*astuple(measure({count})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    made, *numbers = done.stdout.split()
    return Growth(int(made), *map(float, numbers))


ENVIRONMENT = Part(
    "environment", Record[Environment], lambda _short: environment.make_environment()
)
HTTP = Part("http", Record[Shots], _http)
INSTALL = Part("install", Record[Installs], lambda _short: installs.measure())
RESIDENT = Part("resident", Record[Residents], _residents)
KILLED = Part("kills", Record[Tally], _kills)
CYCLES = Part("cycles", Record[Growth], _cycles)

QUIET: tuple[Part[Any], ...] = (ENVIRONMENT, HTTP, INSTALL)  # while nothing else runs
LONG: tuple[Part[Any], ...] = (RESIDENT, KILLED)  # beside the cycles

ALL: tuple[Part[Any], ...] = (*QUIET, *LONG, CYCLES)
NAMES: tuple[str, ...] = tuple(part.name for part in ALL)
