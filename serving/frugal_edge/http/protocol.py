"""Connections of uvicorn that end when a client takes too long, sends too much or is one too many.

uvicorn by itself waits for ever for the rest of a request, and for a client to read its answer.
"""

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http.endpoint import send_answer
from frugal_edge.http.hot import Hot
from frugal_edge.http.problems import TYPE, ProblemError, answer_of, content

MAX_HEAD = 1 << 16  # bytes of request line and headers
MAX_HEADERS = 128

if TYPE_CHECKING:

    class _Base(H11Protocol):
        """Either of uvicorn's protocols."""
else:
    _Base = object


class Bounded(_Base):
    """What both of uvicorn's protocols need; `bounded` sets `receive_s`, `most` and `hot`."""

    receive_s = 10.0
    most = 64
    hot: Hot | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._since: float | None = None  # of a request that is received or answered
        self._head = 0
        self._began: object = None  # the last request whose headers were whole
        self._over: object = None  # the last request that was answered early
        self._passing = False  # the rest of a body whose request is answered already
        self._held = b""  # a known head, whose body is still to come
        self._early: bytes | None = None  # what comes while a known request is answered
        self._last = False  # whether to end after that
        self._quiet: float | None = None  # when the last request was answered, if without uvicorn

    def connection_made(self, transport: Any) -> None:
        """Count the connection; too many are told so, twice as many closed."""
        super().connection_made(transport)
        self._since = time.monotonic()
        if len(self.connections) > 2 * self.most:
            transport.abort()
        elif len(self.connections) > self.most:
            self.app, self.hot = _busy, None

    def data_received(self, data: bytes) -> None:
        """Take bytes; the time of a request runs from its first one."""
        if self._early is not None:
            self._early += data
            return
        if self._since is None:
            self._since, self._head = time.monotonic(), 0
        at_rest = self.hot is not None and self.at_rest()
        if at_rest and self.answered(data):
            return
        data, self._held, self._quiet = self._held + data, b"", None
        before = self.cycle
        between = self._between()  # before the end of a body makes it look so
        super().data_received(data)
        if self.transport.is_closing():
            return
        if at_rest and self.hot is not None and self.cycle is not before and self.alone():
            self.hot.learn(data, self.cycle.scope)
        if self.cycle is self._began and between:
            self._head += len(data)
        self._began = self.cycle
        if self._head > MAX_HEAD or (self.headers and len(self.headers) > MAX_HEADERS):
            detail = f"expected headers of at most {MAX_HEAD} bytes and {MAX_HEADERS} lines"
            self.refuse(431, detail)

    def at_rest(self) -> bool:
        """Say whether the next byte is the first one of a request."""
        raise NotImplementedError

    def alone(self) -> bool:
        """Say whether no second request has begun beside the one that is answered."""
        raise NotImplementedError

    def answered(self, data: bytes) -> bool:
        """Answer a request that is known, and say whether it is or will be."""
        whole = self._held + data if self._held else data
        hot = self.hot
        known = None if hot is None or self.flow.write_paused else hot.find(whole)
        if hot is None or known is None or len(whole) - known.size not in {0, known.length}:
            return False
        if len(whole) - known.size < known.length:  # many send the body in a piece of its own
            self._held = whole
            return True
        self._held, self._early = b"", b""
        self._unset_keepalive_if_required()
        general = self.server_state.default_headers
        hot.ask(known, whole[known.size :], general, self.give)
        return True

    def give(self, answer: bytes) -> None:
        """Send an answer that was written without uvicorn, and take what came meanwhile."""
        data, self._early = self._early, None
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        self._since, self._quiet = None, time.monotonic()
        if self._last:
            self.transport.close()
        elif data:
            self.data_received(data)

    def _between(self) -> bool:
        """Say whether what comes belongs to the next request, not to the body of this one."""
        cycle: Any = self.cycle
        return cycle is None or cycle is self._over or not cycle.more_body

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, unless there is one already."""
        if self.cycle.response_complete and self.cycle.more_body:
            self._passing = True
            super().on_response_complete()
            return
        super().on_response_complete()
        self._since = None if self.cycle.response_complete else time.monotonic()
        self._head = 0

    def passed(self) -> None:
        """Tell that the whole of a request that was answered early is here."""
        self._passing, self._since, self._head, self._over = False, None, 0, self.cycle

    def shutdown(self) -> None:
        """End after the request that has begun."""
        if self._early is not None:
            self._last = True
            return
        data, self._held = self._held, b""
        if data:
            super().data_received(data)
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Tell that it is no HTTP."""
        self.refuse(400, f"expected HTTP/1.1, got something else: {msg}")

    def late(self, now: float) -> None:
        """Close the connection if its request has taken too long."""
        if self._since is None:
            if self._quiet is not None and now - self._quiet > self.timeout_keep_alive:
                self.transport.close()
            return
        if now - self._since < self.receive_s:
            return
        cycle: Any = self.cycle  # None before the first request
        if self._passing:
            self.transport.close()
        elif cycle is None or cycle.response_complete or cycle.more_body:
            self.refuse(408, f"expected a whole request within {self.receive_s:g} s")
        else:
            self.transport.abort()  # it does not read its answer

    def refuse(self, status: int, detail: str) -> None:
        """Answer without the application, if nothing was answered yet, and close."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_raw(status, detail))
        self.transport.close()


def _raw(status: int, detail: str) -> bytes:
    body = content(status, detail, {})
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {TYPE.decode()}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _busy(_scope: Scope, _receive: Receive, send: Send) -> None:
    problem = ProblemError(
        503, "too many connections", [(b"retry-after", b"1"), (b"connection", b"close")]
    )
    await send_answer(send, answer_of(problem))


class BoundedH11(Bounded, H11Protocol):
    """HTTP in Python."""

    def at_rest(self) -> bool:
        """Say whether the next byte is the first one of a request."""
        conn = self.conn
        idle = conn.our_state is h11.IDLE and conn.their_state is h11.IDLE
        return idle and not conn.trailing_data[0]

    def alone(self) -> bool:
        """Say whether no second request has begun beside the one that is answered."""
        return True  # h11 takes up the next one after the answer

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        super().data_received(data)
        if self._passing and self.conn.their_state is not h11.SEND_BODY:
            self.passed()


def bounded(settings: HttpSettings, hot: Hot | None = None) -> type[asyncio.Protocol]:
    """Return the protocol that the settings ask for, in C where httptools is installed."""
    base = _fastest()
    own = {"receive_s": settings.receive_s, "most": settings.max_concurrency, "hot": hot}
    return type("Connection", (base,), own)


def _fastest() -> type[Bounded]:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ModuleNotFoundError:
        return BoundedH11

    class BoundedHttpTools(Bounded, HttpToolsProtocol):  # type: ignore[misc]  # H11 only for types
        """HTTP in C."""

        _begun = False

        def at_rest(self) -> bool:
            """Say whether the next byte is the first one of a request."""
            cycle: Any = self.cycle  # None before the first request
            return not self._begun and (cycle is None or cycle.response_complete)

        def alone(self) -> bool:
            """Say whether no second request has begun beside the one that is answered."""
            pipeline: Any = self.pipeline  # type: ignore[attr-defined]  # likewise
            return not pipeline and self.scope is self.cycle.scope

        def on_message_begin(self) -> None:
            """Take the beginning of a request."""
            self._begun = True
            super().on_message_begin()

        def on_message_complete(self) -> None:
            """Take the end of a request."""
            self._begun = False
            super().on_message_complete()
            if self._passing:
                self.passed()

    return BoundedHttpTools
