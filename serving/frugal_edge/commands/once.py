"""``frugal-edge once --config gateway.yaml``."""

import argparse

from frugal_edge.commands._config import config_argument, configured

PURPOSE = "run one forecast cycle and exit, for a timer"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    config_argument(parser)


def run(options: argparse.Namespace) -> str:
    """Look at every series once; print each forecast that was issued, one JSON object a line."""
    config = configured(options)
    from frugal_edge.gateway.once import once

    return "".join(f"{one.as_json().decode()}\n" for one in once(config))
