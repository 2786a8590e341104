"""``frugal-edge history``."""

import argparse
import json

from frugal_edge.commands._state import state_argument

PURPOSE = "say who changed what, and when"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    state_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line, as kept")


def run(options: argparse.Namespace) -> str:
    """Print the audit, oldest first."""
    from frugal_edge.install import audit

    events = audit.read(options.state)
    if options.json:
        return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    return "".join(map(_line, events)) or f"{options.state}: nothing was ever changed\n"


def _line(event: dict[str, object]) -> str:
    """Show who did what and when first, then what else is known of it."""
    head = "  ".join(str(event.get(key, "")) for key in ("time", "who", "what"))
    rest = (
        f"{key}={value}"
        for key, value in event.items()
        if key not in {"time", "who", "what"} and value not in (None, False)
    )
    return f"{head}  {' '.join(rest)}".rstrip() + "\n"
