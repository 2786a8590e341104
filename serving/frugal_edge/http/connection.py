"""Connections on which requests that are known are answered at once, all others by uvicorn."""

import asyncio
import time
from typing import Any

import h11

from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http.hot import Hot
from frugal_edge.http.protocol import Bounded, busy


class Connection(Bounded):
    """A connection of the gateway; `connection_class` sets `hot`."""

    hot = Hot(())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held = b""  # a known head, whose body is still to come
        self._early: bytes | None = None  # what comes while a known request is answered
        self._last = False  # whether to end after that
        self._quiet: float | None = None  # when a known request was answered, if it was the last

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        if self._early is not None:
            self._early += data
            return
        self.begin()
        at_rest = self._at_rest()
        if at_rest and self._answered(data):
            return
        data, self._held, self._quiet = self._held + data, b"", None
        before: Any = self.cycle
        super().data_received(data)
        if at_rest and self.cycle is not before and not self.transport.is_closing():
            self.hot.learn(data, self.cycle.scope)  # h11 takes up a second one after the answer

    def shutdown(self) -> None:
        """End, after the request that has begun."""
        if self._early is not None:
            self._last = True
            return
        if self._held:
            data, self._held = self._held, b""
            super().data_received(data)
        super().shutdown()

    def late(self, now: float) -> None:
        """Close the connection if a request has taken too long, or the next one does not come."""
        quiet = self._quiet if self._since is None else None
        if quiet is not None and now - quiet > self.timeout_keep_alive:
            self.transport.close()
        super().late(now)

    def _at_rest(self) -> bool:
        """Say whether the next byte is the first one of a request."""
        conn = self.conn
        idle = conn.our_state is h11.IDLE and conn.their_state is h11.IDLE
        return idle and not conn.trailing_data[0] and self.app is not busy

    def _answered(self, data: bytes) -> bool:
        """Answer a request that is known, and say whether it is or will be."""
        whole = self._held + data if self._held else data
        known = None if self.flow.write_paused else self.hot.find(whole)
        if known is None or len(whole) - known.size not in {0, known.length}:
            return False
        if len(whole) - known.size < known.length:  # many send the body in a piece of its own
            self._held = whole
            return True
        self._held, self._early = b"", b""
        self._unset_keepalive_if_required()
        general = self.server_state.default_headers
        self.hot.ask(known, whole[known.size :], general, self._give)
        return True

    def _give(self, answer: bytes) -> None:
        """Send an answer, and take what came meanwhile."""
        data, self._early = self._early, None
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        self._since, self._quiet = None, time.monotonic()
        if self._last:
            self.transport.close()
        elif data:
            self.data_received(data)


def connection_class(settings: HttpSettings, hot: Hot) -> type[asyncio.Protocol]:
    """Return the class of connections that the settings ask for."""
    own = {"receive_s": settings.receive_s, "most": settings.max_concurrency, "hot": hot}
    return type("ConnectionOfGateway", (Connection,), own)
