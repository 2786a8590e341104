"""The part of docs/benchmarks.md on the gateway, from the records of its parts."""

from collections import defaultdict
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.gateway import cycles, http_speed, parts, resident, targets
from benchmarks.gateway.cycles import Growth
from benchmarks.gateway.environment import Environment
from benchmarks.gateway.installs import Installs
from benchmarks.gateway.kills import Tally
from benchmarks.gateway.parts import Residents, Shots
from benchmarks.gateway.records import Record
from benchmarks.gateway.targets import Bound, least, most
from benchmarks.markdown import fill, item, table

F = TypeVar("F")


@dataclass(frozen=True)
class Records:
    """All that the page needs; None was not measured."""

    environment: Record[Environment] | None
    http: Record[Shots] | None
    install: Record[Installs] | None
    resident: Record[Residents] | None
    kills: Record[Tally] | None
    cycles: Record[Growth] | None

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the parts that were not measured."""
        return tuple(name for name in parts.NAMES if getattr(self, name) is None)


def found(record: Record[F] | None) -> F | None:
    """Take the figures of a record, if there is one."""
    return None if record is None else record.found


def page(records: Records) -> str:
    """Write the part."""
    paragraphs = [
        "# The gateway",
        fill(
            "`make benchmark-gateway` writes this part; `python -m benchmarks.gateway PART` takes"
            f" one of {', '.join(parts.NAMES)} anew. The committed load bundle runs in"
            " `frugal-edge serve`, a process of its own in an environment of its own, with HTTP"
            f" and MQTT{_broker(records)}. A hundred models are the same bundle for a hundred"
            " series, each opened by itself. Resident memory is taken after every series had a"
            " history and the service was asked, with the pages of shared libraries. Over HTTP"
            " `wrk` asks on 16 connections from the other core, the server has one; bare ASGI is"
            " uvicorn with an application that reads the JSON and answers with a constant."
        ),
        table(targets.COLUMNS, targets.rows(_bounds(records))),
        "\n".join(item(line) for line in _items(records)),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _broker(records: Records) -> str:
    here = found(records.resident)
    if here is None:
        return ""
    connected = here.one.broker
    return ", connected to mosquitto" if connected else ", without a broker, none is installed"


def _bounds(records: Records) -> list[Bound]:
    env, install = found(records.environment), found(records.install)
    here, grown, tally = found(records.resident), found(records.cycles), found(records.kills)
    return [
        most(
            "packages of `frugal-edge[http,mqtt]`, itself not counted",
            len(env.packages) if env else None, 20, "", 0,
        ),
        most("its environment", env.megabytes if env else None, 190, "MB"),
        most("resident, HTTP, MQTT and 1 model", here.one.rss_mb if here else None, 90, "MB"),
        most(
            "resident, HTTP, MQTT and 100 models", here.hundred.rss_mb if here else None, 160, "MB"
        ),
        most("CPU at rest, a look every 15 minutes, of a core", _rest(here, grown), 0.1, "%", 3),
        most(
            f"growth over {grown.cycles if grown else cycles.CYCLES:,} forecast cycles",
            grown.grown_mb if grown else None, 2, "MB", 2,
        ),
        *_speeds(found(records.http) or {}),
        most(
            "install, signature to commit, without trial",
            install.median_s if install else None, 0.5, "s", 2,
        ),
        most(
            f"broken states after {tally.kills if tally else parts.KILLS} kills",
            len(tally.broken) if tally else None, 0, "", 0,
        ),
    ]  # fmt: skip


def _rest(here: Residents | None, grown: Growth | None) -> float | None:
    if here is None or here.one.rest_cpu_s is None or grown is None:
        return None
    return 100 * resident.share_of_core(here.one.rest_cpu_s, grown.cpu_ms)


def _speeds(shots: Shots) -> list[Bound]:
    cached, post = (
        http_speed.median(shots[name]) if name in shots else None
        for name in (http_speed.GET, http_speed.POST)
    )
    return [
        least(
            "stateless forecast, 672 values in, one core",
            post.rate if post else None,
            8000,
            "req/s",
        ),
        most("its p99, 16 connections", post.p99 if post else None, 6, "ms", 2),
        least("cached GET, one core", cached.rate if cached else None, 20000, "req/s"),
    ]


def _items(records: Records) -> list[str]:
    items = []
    if (grown := found(records.cycles)) is not None:
        items.append(
            f"**At rest**: {resident.REST_S:.0f} s in which nobody asks for anything, and"
            f" {grown.cpu_ms:.1f} CPU-ms for each of 96 looks a day, as the cycles took them."
        )
        items.append(
            f"**Cycles**: RSS {grown.before_mb:.1f} MB after {cycles.WARM:,} cycles that warm up,"
            f" {grown.after_mb:.1f} MB after {grown.cycles:,} more, each with a reading corrected"
            " and a forecast of the model; every second one also scores a forecast."
        )
    if (tally := found(records.kills)) is not None:
        left = ", ".join(f"{name} {count}" for name, count in tally.left.items())
        items.append(
            "**Kills**: at random instants of installs, trials and rollbacks. What ran before ran"
            f" {tally.runs['what ran']} times, what was on its way {tally.runs['what came']}."
            f" Found lying, and cleared away by the next start: {left}."
        )
    if (took := found(records.install)) is not None:
        items.append(
            f"**Install**: median of {took.times}, {took.least_s:.2f} to {took.most_s:.2f} s,"
            f" {took.cpu_s:.2f} CPU-s each."
        )
    shots = found(records.http)
    items += [f"**HTTP**, {line}." for line in http_speed.lines(shots or {})]
    if (env := found(records.environment)) is not None:
        items.append(f"**Packages**: {', '.join(env.packages)}.")
    return [*items, *_origins(records)]


def _origins(records: Records) -> list[str]:
    """Say when, where and of which code each part was measured, equal ones together."""
    together: dict[str, list[str]] = defaultdict(list)
    for name in parts.NAMES:
        record = getattr(records, name)
        if record is not None:
            together[record.origin()].append(name)
    return [f"**Measured** {origin}: {', '.join(names)}." for origin, names in together.items()]
