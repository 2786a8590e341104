"""``frugal-edge forecast BUNDLE``."""

import argparse
from pathlib import Path

from frugal_edge.commands._bundle import bundle_argument, tested
from frugal_edge.errors import InputError
from frugal_edge.terminal import tell

PURPOSE = "verify a bundle, then forecast"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    bundle_argument(parser)
    parser.add_argument("--history", required=True, metavar="FILE", help="observations, CSV")
    parser.add_argument("--known", metavar="FILE", help="covariates known ahead, CSV")
    parser.add_argument(
        "--origin",
        metavar="T",
        help="start of the first interval, ISO 8601 with an offset or Z"
        " (default: the end of the last observation)",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="kept from one forecast to the next, so that quantiles follow what arrives",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of CSV")


def run(options: argparse.Namespace) -> str:
    """Verify a bundle, replay its golden cases and forecast."""
    origin = None if options.origin is None else _origin(options.origin)
    forecaster, _ = tested(options.bundle, None)
    from frugal_edge import oneshot, render

    known, state = (None if name is None else Path(name) for name in (options.known, options.state))
    if state and not forecaster.manifest.drifts:
        tell("warning", "--state: nothing is kept, the quantiles of this model do not drift")
    answer = oneshot.forecast_files(forecaster, Path(options.history), known, origin, state)
    for sentence in answer.out_of_bounds:
        tell("warning", sentence)
    return render.as_json(answer) if options.json else render.as_csv(answer)


def _origin(text: str) -> int:
    from frugal_edge.clock import parse_time

    try:
        return parse_time(text)
    except ValueError as error:
        raise InputError(f"--origin: {error}") from None
