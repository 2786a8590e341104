"""Parts that need more than the base of frugal-edge, asked for only where they are configured."""

from importlib import import_module
from typing import TYPE_CHECKING

from frugal_edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from frugal_edge.mqtt.link import Link

    Serve = Callable[..., Coroutine[Any, Any, None]]


def http_server() -> "Serve":
    """Return what serves HTTP.

    Raises
    ------
    ConfigError
        If frugal-edge was installed without it.
    """
    serve: Serve = _found("frugal_edge.http.server", "http").serve_http
    return serve


def mqtt_link() -> "type[Link]":
    """Return the class of the link to the broker.

    Raises
    ------
    ConfigError
        If frugal-edge was installed without it.
    """
    link: type[Link] = _found("frugal_edge.mqtt.link", "mqtt").Link
    return link


def _found(module: str, extra: str) -> "Any":
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{extra}: {error.name} is not installed: pip install 'frugal-edge[{extra}]'"
        ) from error
