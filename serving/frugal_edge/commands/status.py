"""``frugal-edge status``."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from frugal_edge.commands._state import state_argument
from frugal_edge.errors import InstallError
from frugal_edge.terminal import tell

if TYPE_CHECKING:
    from frugal_edge.install.slots import Entry, Record

PURPOSE = "say what runs"
_HEADERS = (
    "series",
    "runs",
    "sequence",
    "trial",
    "before",
    "last forecast",
    "quality",
    "readings to",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    state_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> str:
    """List what is installed, series by series."""
    from frugal_edge.install import slots

    records, damaged = [], {}
    for series_id in slots.series(options.state):
        try:
            records.append(slots.read(options.state, series_id))
        except InstallError as wrong:
            damaged[series_id] = str(wrong)
    latest = {record.series_id: _latest(options.state, record.series_id) for record in records}
    if options.json:
        models = [_model(record) | latest[record.series_id] for record in records]
        return json.dumps({"models": models, "damaged": damaged}) + "\n"
    for series_id, error in damaged.items():
        tell("warning", f"{series_id}: {error}")
    if not records:
        return f"{options.state}: nothing is installed\n"
    rows = [(*_row(record), *map(_shown, latest[record.series_id].values())) for record in records]
    return _table([_HEADERS, *rows])


def _latest(state: Path, series_id: str) -> dict[str, object]:
    """Return origin and quality of the last forecast and the time of the last reading."""
    origin = quality = reading = None
    if (state / "gateway.db").exists():
        from frugal_edge.clock import format_time
        from frugal_edge.store.database import Database
        from frugal_edge.store.forecasts import Forecasts
        from frugal_edge.store.readings import Readings

        database = Database(state)
        try:
            body = Forecasts(database).latest(series_id)
            newest = Readings(database).newest(series_id)
        finally:
            database.close()
        if body is not None:
            said = json.loads(body)
            origin, quality = said["origin"], said["quality"]
        reading = None if newest is None else format_time(newest)
    return {"last_forecast": origin, "quality": quality, "last_reading": reading}


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _model(record: "Record") -> dict[str, object]:
    return {
        "series_id": record.series_id,
        "current": _entry(record.current),
        "trial_left": record.trial_left,
        "previous": _entry(record.previous),
        "rejected": [
            {"id": one.id, "sequence": one.sequence, "why": one.why} for one in record.rejected
        ],
    }


def _entry(entry: "Entry | None") -> dict[str, object] | None:
    if entry is None:
        return None
    return {"id": entry.id, "sequence": entry.sequence, "key": entry.key}


def _row(record: "Record") -> tuple[str, ...]:
    current, previous = record.current, record.previous
    return (
        record.series_id,
        current.id if current else "nothing",
        str(current.sequence) if current else "",
        f"{record.trial_left} left" if record.trial_left else "",
        previous.id if previous else "",
    )


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
