"""What commands that install share."""

import argparse
from typing import TYPE_CHECKING

from frugal_edge.commands._state import state_argument

if TYPE_CHECKING:
    from frugal_edge.install.installer import How

_TRIAL = 3  # cycles
_MB = 1 << 20


def install_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the state folder, the trial and the limit of size."""
    state_argument(parser)
    parser.add_argument(
        "--trial",
        metavar="N",
        type=_count,
        default=_TRIAL,
        help="forecast cycles that it must pass before it stays, 0 for none (default: %(default)s)",
    )
    parser.add_argument(
        "--max-mb", metavar="N", type=_count, default=64, help="largest bundle (default: 64)"
    )


def how(options: argparse.Namespace, *, force: bool = False) -> "How":
    """Return how to install."""
    from frugal_edge.install.archive import Limits
    from frugal_edge.install.installer import How

    return How(trial=options.trial, force=force, limits=Limits(options.max_mb * _MB))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}")
    return int(text)
