"""Parts that need more than the base of frugal-edge, asked for only where they are configured."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module
from typing import Any, Protocol

from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import MqttSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.issued import Issued

Serve = Callable[..., Coroutine[Any, Any, None]]


class Link(Protocol):
    """What carries readings and forecasts between a gateway and a broker."""

    def __init__(self, gateway: Gateway, settings: MqttSettings) -> None: ...

    def offer(self, issued: Sequence[Issued]) -> None:
        """Let forecasts wait for the broker."""

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the connection and carry, until a stop is asked for."""

    async def deliver(
        self, timeout_s: float, look: Callable[[], Sequence[Issued]] | None = None
    ) -> int:
        """Connect, take what waits, look, deliver what waits, and disconnect."""


def http_server() -> Serve:
    """Return what serves HTTP.

    Raises
    ------
    ConfigError
        If frugal-edge was installed without it.
    """
    serve: Serve = found("frugal_edge.http.server", "http").serve_http
    return serve


def mqtt_link() -> type[Link]:
    """Return the class of the link to the broker.

    Raises
    ------
    ConfigError
        If frugal-edge was installed without it.
    """
    link: type[Link] = found("frugal_edge.mqtt.link", "mqtt").Link
    return link


def found(module: str, extra: str) -> Any:
    """Import a module that needs an extra of frugal-edge.

    Raises
    ------
    ConfigError
        If frugal-edge was installed without it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{extra}: {error.name} is not installed: pip install 'frugal-edge[{extra}]'"
        ) from error
