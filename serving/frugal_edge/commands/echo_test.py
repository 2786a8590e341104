"""``frugal-edge echo-test --config gateway.yaml``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from frugal_edge.commands._config import config_argument, configured
from frugal_edge.errors import ConfigError, TransportError
from frugal_edge.terminal import tell

if TYPE_CHECKING:
    from frugal_edge.gateway.config import GatewayConfig

PURPOSE = "prove that what is published to the broker arrives"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    config_argument(parser)
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=10.0,
        help="how long messages may take to come back (default: 10)",
    )


def run(options: argparse.Namespace) -> str:
    """Publish to oneself; fail unless everything comes back."""
    config = configured(options)
    if config.mqtt is None:
        raise ConfigError(f"{options.config}: mqtt: expected a section with the broker, got none")
    import asyncio

    from frugal_edge.gateway.extras import found

    echo = found("frugal_edge.mqtt.echo", "mqtt")
    forecasts = _forecasts(config)
    echoes = asyncio.run(echo.echo_test(config.mqtt, config.name, forecasts, options.timeout))
    lines = [f"{one.topic}: came back" for one in echoes if one.trouble is None]
    troubles = [f"{one.topic}: {one.trouble}" for one in echoes if one.trouble is not None]
    if troubles:
        for line in lines:
            tell("info", line)
        raise TransportError("; ".join(troubles))
    if not forecasts:
        lines.append("no forecast is stored yet: their topics were not tried")
    return "".join(f"{line}\n" for line in lines)


def _forecasts(config: "GatewayConfig") -> dict[str, bytes]:
    """Return the newest forecast of each series that has one."""
    from frugal_edge.install.models import Models
    from frugal_edge.store.database import NAME, Database
    from frugal_edge.store.forecasts import Forecasts

    if not (Path(config.state) / NAME).exists():
        return {}
    database = Database(config.state)
    try:
        stored = Forecasts(database)
        names = {*config.series, *Models(config.state).series()}
        latest = {name: stored.latest(name) for name in sorted(names)}
    finally:
        database.close()
    return {name: body for name, body in latest.items() if body is not None}


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"expected seconds, up to 600, got {text!r}")
    return seconds
