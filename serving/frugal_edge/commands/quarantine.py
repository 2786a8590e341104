"""``frugal-edge quarantine``."""

import argparse

from frugal_edge.commands._state import state_argument

PURPOSE = "show readings that were refused, with the reasons"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    state_argument(parser)
    parser.add_argument(
        "--last", metavar="N", type=int, default=20, help="how many, the newest first (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> str:
    """List what was refused, a thousand at most."""
    import json
    from dataclasses import asdict

    from frugal_edge.clock import format_time
    from frugal_edge.store.database import NAME, Database
    from frugal_edge.store.quarantine import Quarantine

    if not (options.state / NAME).exists():
        return f"{options.state}: nothing was refused\n"
    database = Database(options.state)
    try:
        found = Quarantine(database).last(max(options.last, 0))
    finally:
        database.close()
    if options.json:
        rows = ({**asdict(one), "received": format_time(one.received)} for one in found)
        return "".join(f"{json.dumps(row)}\n" for row in rows)
    if not found:
        return f"{options.state}: nothing was refused\n"
    return "".join(
        f"{format_time(one.received)}  {one.source}  {one.series}  {one.reason}\n"
        f"    {one.content}\n"
        for one in found
    )
