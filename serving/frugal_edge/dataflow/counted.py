"""What a gateway has counted: bytes over its uplink, against sending on every reading it took."""

import json
import time
from dataclasses import dataclass

from frugal_edge.clock import format_time
from frugal_edge.dataflow.assumptions import DEFAULTS
from frugal_edge.dataflow.page import aligned, shown_bytes, shown_ratio
from frugal_edge.dataflow.volume import DAY_S, DAYS
from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.store.counters import SINCE, Counters
from frugal_edge.store.database import NAME, Database

_RESTS_ON = ("value_bytes", "payload_bytes", "topic_bytes")  # as the counted bytes are made up


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a gateway.

    Attributes
    ----------
    gateway
        Its name.
    since
        When it began to count [unix s].
    seconds
        For how long it has counted [s].
    readings
        Values that it took in.
    uplink, downlink
        Bytes that it sent and fetched.
    """

    gateway: str
    since: int
    seconds: float
    readings: float
    uplink: float
    downlink: float

    @property
    def everything(self) -> float:
        """Bytes of sending on each reading in a message of its own."""
        return self.readings * sum(DEFAULTS[name].value for name in _RESTS_ON)

    @property
    def divided_by(self) -> float | None:
        """How many times more that is than what was sent."""
        return self.everything / self.uplink if self.uplink else None

    def per_day(self, count: float) -> float:
        """Spread a count over the days."""
        return count * DAY_S / self.seconds


def count(config: GatewayConfig) -> Counted:
    """Read the counters of a gateway.

    Raises
    ------
    ConfigError
        If it has counted nothing yet.
    StoreError
        If its database cannot be read.
    """
    path = config.state / NAME
    if not path.exists():
        raise ConfigError(f"{path}: not there, this gateway has counted nothing yet")
    database = Database(config.state)
    try:
        counters = Counters(database)
    finally:
        database.close()
    totals: dict[str, float] = {}
    for one in counters:
        totals[one.name] = totals.get(one.name, 0.0) + one.value
    since = totals.get(SINCE, 0.0)
    seconds = time.time() - since
    if not since or seconds <= 0:
        raise ConfigError(f"{path}: this gateway has not forecast yet, or the clock is wrong")
    return Counted(
        gateway=config.name,
        since=int(since),
        seconds=seconds,
        readings=totals.get("observations_total", 0.0),
        uplink=totals.get("uplink_bytes_total", 0.0),
        downlink=totals.get("downlink_bytes_total", 0.0),
    )


def as_text(found: Counted) -> str:
    """Write it for people; from less than a day nothing is inferred on a day."""
    days, since = found.seconds / DAY_S, format_time(found.since)
    rows: list[tuple[str, ...]] = [("", "so far", "a day", "a year")]
    for name, total in (
        ("everything, estimated", found.everything),
        ("sent", found.uplink),
        ("fetched", found.downlink),
    ):
        day = found.per_day(total)
        rates = map(shown_bytes, (day, DAYS * day)) if days >= 1 else ("-", "-")
        rows.append((name, shown_bytes(total), *rates))
    lines = [
        f"{found.gateway}: {found.readings:,.0f} readings in {_span(found.seconds)}, since {since}",
        "",
        *aligned(rows),
        "",
        f"divided by {shown_ratio(found.divided_by)}",
        "",
        "sent and fetched are counted, topics and payloads; everything is each reading alone, with",
        *(f"  {name} {DEFAULTS[name].value:g}: {DEFAULTS[name].why}" for name in _RESTS_ON),
    ]
    return "\n".join(lines) + "\n"


def as_json(found: Counted) -> str:
    """Write it for programs."""
    content = {
        "gateway": found.gateway,
        "since": format_time(found.since),
        "days": found.seconds / DAY_S,
        "readings": found.readings,
        "everything": _bytes(found, found.everything),
        "sent": _bytes(found, found.uplink),
        "fetched": _bytes(found, found.downlink),
        "divided_by": found.divided_by,
        "assumptions": {
            name: {"value": DEFAULTS[name].value, "why": DEFAULTS[name].why} for name in _RESTS_ON
        },
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def _bytes(found: Counted, total: float) -> dict[str, float]:
    day = found.per_day(total)
    return {"bytes": total, "bytes_per_day": day, "bytes_per_year": day * DAYS}


def _span(seconds: float) -> str:
    for unit, size in (("days", DAY_S), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} seconds"
