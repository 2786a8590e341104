"""What commands on the state of a gateway share."""

import argparse
from pathlib import Path

DEFAULT = "/var/lib/frugal-edge"
TRUST = "trust"  # folder of trusted keys in the state


def state_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the state folder."""
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        default=Path(DEFAULT),
        help=f"state folder of the gateway (default: {DEFAULT})",
    )
