"""The gateway as a service: forecasts on schedule, HTTP, MQTT and updates in one loop."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from typing import Any

from frugal_edge.errors import EdgeError
from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.gateway.extras import http_server, mqtt_link
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.schedule import keep_looking, until_stopped
from frugal_edge.gateway.watchdog import Watchdog
from frugal_edge.install.lock import sole

LOCK = "gateway.lock"


def serve(config: GatewayConfig) -> None:
    """Run until SIGTERM or SIGINT.

    Raises
    ------
    EdgeError
        If the gateway cannot start, or another one runs on the same state.
    """
    with sole(config.state / LOCK, "serve"):
        asyncio.run(_serve(config))


async def _serve(config: GatewayConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.set_exception_handler(_told)
    gateway = Gateway(config)
    watchdog = Watchdog()
    try:
        async with asyncio.TaskGroup() as group:
            for part in _parts(gateway, watchdog, stop):
                group.create_task(part)
            watchdog.ready()
            log("info", "started", gateway=config.name, series=sorted(gateway.installed.targets))
        watchdog.stopping()
        log("info", "stopped", gateway=config.name)
    except* EdgeError as errors:
        raise errors.exceptions[0] from None  # the first part that failed ended the others
    finally:
        gateway.close()


def _told(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Tell what went wrong in the loop itself in a line of the log, not in a traceback."""
    log("warning", "loop_error", reason=str(context.get("exception") or context["message"]))


def _parts(
    gateway: Gateway, watchdog: Watchdog, stop: asyncio.Event
) -> list[Coroutine[Any, Any, None]]:
    """Make what runs side by side; each part ends when a stop is asked for."""
    config = gateway.config
    link = mqtt_link()(gateway, config.mqtt) if config.mqtt else None

    def look() -> None:
        try:
            issued = gateway.cycle()
            if link is not None:
                link.offer(issued)
        except EdgeError as error:  # the next look may find the disk free again
            log("error", "cycle_failed", reason=str(error))

    parts = [keep_looking(look, config.forecast, gateway.clock, stop, watchdog)]
    if link is not None:
        parts.append(link.run(stop))
    if config.http:
        parts.append(http_server()(gateway, config.http, stop))
    if config.updates:
        parts.append(_keep_updating(config, stop))
    return parts


async def _keep_updating(config: GatewayConfig, stop: asyncio.Event) -> None:
    from frugal_edge.gateway.update import update  # loads what verifies channels

    if config.updates is None:
        return
    while True:
        await asyncio.to_thread(update, config, config.updates)
        if await until_stopped(stop, config.updates.every_s):
            return
