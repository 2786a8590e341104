"""What commands on a configured gateway share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frugal_edge.gateway.config import GatewayConfig


def config_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration."""
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="gateway.yaml")


def configured(options: argparse.Namespace) -> "GatewayConfig":
    """Read the configuration."""
    from frugal_edge.gateway.config_reader import read_config

    return read_config(options.config)
