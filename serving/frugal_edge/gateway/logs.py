"""One line of JSON on stderr for each thing that happens."""

import json
import sys
from datetime import UTC, datetime

from frugal_edge.errors import OutputError

__all__ = ["LEVELS", "log", "only"]

LEVELS = ("debug", "info", "warning", "error")
_least = ["info"]


def only(level: str) -> None:
    """Pass over what matters less than a level."""
    if level not in LEVELS:
        raise OutputError(f"log level: expected one of {', '.join(LEVELS)}, got {level!r}")
    _least[0] = level


def log(level: str, event: str, **facts: object) -> None:
    """Tell what happened, with its facts."""
    if LEVELS.index(level) < LEVELS.index(_least[0]):
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": now, "level": level, "event": event, **facts}
    sys.stderr.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
