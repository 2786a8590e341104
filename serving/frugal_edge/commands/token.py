"""``frugal-edge token NAME --scopes read,operate``."""

import argparse
from pathlib import Path

PURPOSE = "make a bearer token for the HTTP service and keep its hash"
_DEFAULT = "/etc/frugal-edge/tokens"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", help="whose token it is")
    parser.add_argument(
        "--scopes",
        default="read",
        metavar="LIST",
        help="read (forecasts and metrics), operate (readings in), or both (default: read)",
    )
    parser.add_argument(
        "--file",
        type=Path,
        default=Path(_DEFAULT),
        metavar="FILE",
        help=f"file of hashed tokens, as under http.tokens in gateway.yaml (default: {_DEFAULT})",
    )


def run(options: argparse.Namespace) -> str:
    """Make a token; it is shown this once."""
    from frugal_edge.http.tokens import add_token

    scopes = tuple(dict.fromkeys(options.scopes.replace(" ", "").split(",")))
    return add_token(options.file, options.name, scopes) + "\n"
