"""uvicorn in the loop of the gateway: one worker, no signal handlers of its own, JSON logs."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn

from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.schedule import until_stopped
from frugal_edge.http.app import create_app
from frugal_edge.http.connection import connection_class
from frugal_edge.http.tls import tls_context

_LOOK_S = 1.0
_KEEP_ALIVE_S = 15
_GRACE_S = 5
_BACKLOG = 128


async def serve_http(gateway: Gateway, settings: HttpSettings, stop: asyncio.Event) -> None:
    """Serve until a stop is asked for; requests that have begun are answered.

    Raises
    ------
    ConfigError
        If the address cannot be had, or tokens or certificate cannot be read.
    """
    context = tls_context(settings.certificate, settings.key)
    app = create_app(gateway, settings)
    config = uvicorn.Config(
        app,
        http=connection_class(settings, app.state.hot),
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    with _json_logs():
        await _Server(config, listen(settings.host, settings.port), context, settings, stop).serve()


def listen(host: str, port: int) -> socket.socket:
    """Open the socket; port 0 for any that is free.

    Raises
    ------
    ConfigError
        If the address is none of this machine, or taken.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda one: one[0])  # IPv4 first
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.setblocking(False)
        except OSError:
            opened.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"http: cannot listen on {host} port {port}: {reason}") from error
    return opened


class _Server(uvicorn.Server):
    """uvicorn's server, woken once a second, by a stop at once."""

    def __init__(
        self,
        config: uvicorn.Config,
        opened: socket.socket,
        context: Any,
        settings: HttpSettings,
        stop: asyncio.Event,
    ) -> None:
        super().__init__(config)
        self._socket = opened
        self._context = context
        self._settings = settings
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the gateway."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the one socket, with a deadline for TLS too."""
        del sockets  # uvicorn's own way to hand them over
        await self.lifespan.startup()
        connection: Any = self.config.http_protocol_class
        protocol = partial(
            connection,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        tls = self._context
        server = await asyncio.get_running_loop().create_server(
            protocol,
            sock=self._socket,
            ssl=tls,
            backlog=_BACKLOG,
            ssl_handshake_timeout=self._settings.receive_s if tls else None,
        )
        self.servers = [server]
        self.started = True
        host, port = self._socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        log("info", "http_ready", address=f"{'https' if tls else 'http'}://{shown}:{port}")

    async def main_loop(self) -> None:
        """Look after the connections until a stop is asked for."""
        while not self._stop.is_set():
            await self.on_tick(0)
            now = time.monotonic()
            for connection in list(self.server_state.connections):
                connection.late(now)  # type: ignore[union-attr]  # they are all ours
            await until_stopped(self._stop, min(_LOOK_S, self._settings.receive_s / 4))


class _AsJson(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        log("error", "http_failed", reason=record.getMessage().strip(), trace=trace)


@contextmanager
def _json_logs() -> Iterator[None]:
    """Let what uvicorn complains of go to the gateway's log."""
    logger = logging.getLogger("uvicorn.error")
    before = logger.level, logger.propagate
    handler = _AsJson(logging.ERROR)
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
