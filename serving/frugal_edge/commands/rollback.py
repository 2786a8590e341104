"""``frugal-edge rollback SERIES``."""

import argparse

from frugal_edge.commands._state import TRUST, state_argument

PURPOSE = "let the bundle before run again"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("series", metavar="SERIES", help="series_id, as status prints it")
    state_argument(parser)
    parser.add_argument(
        "--why", metavar="TEXT", default="an operator's order", help="reason, for the audit"
    )
    parser.add_argument(
        "--by", metavar="NAME", help="who asks, beside the user of the process, for the audit"
    )


def run(options: argparse.Namespace) -> str:
    """Swap the bundle that runs and the one before."""
    from frugal_edge.install.models import one_line
    from frugal_edge.install.rollback import roll_back
    from frugal_edge.trust.keys import TrustStore

    store = TrustStore.read(options.state / TRUST)
    now = roll_back(options.state, options.series, store, one_line(options.why), options.by)
    if now.current is None:
        return f"{options.series}: no bundle runs, the first one was on trial\n"
    kept = f", {now.previous.id} is kept" if now.previous else ""
    return f"{options.series}: {now.current.id} runs{kept}\n"
