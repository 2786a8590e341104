"""Connections of uvicorn that end when a client takes too long, sends too much or is one too many.

uvicorn by itself waits for ever for the rest of a request, and for a client to read its answer.
"""

import time
from http import HTTPStatus
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from frugal_edge.http.endpoint import send_answer
from frugal_edge.http.problems import TYPE, ProblemError, answer_of, content

MAX_HEAD = 1 << 16  # bytes of request line and headers
MAX_HEADERS = 128


class Bounded(H11Protocol):
    """A connection within its limits; a subclass sets the time of a request and how many may be."""

    receive_s = 10.0
    most = 64

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._since: float | None = None  # of a request that is received or answered
        self._head = 0
        self._began: object = None  # the last request whose headers were whole
        self._over: object = None  # the last request that was answered early
        self._closing = 0.0  # when it was first seen to be closed
        self._passing = False  # the rest of a body whose request is answered already

    def connection_made(self, transport: Any) -> None:
        """Count the connection; too many are told so, twice as many closed."""
        super().connection_made(transport)
        self._since = time.monotonic()
        if len(self.connections) > 2 * self.most:
            transport.abort()
        elif len(self.connections) > self.most:
            self.app = busy

    def begin(self) -> None:
        """Let the time of a request run from its first byte."""
        if self._since is None:
            self._since, self._head = time.monotonic(), 0

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self.begin()
        between = self._between()  # before the end of a body makes it look so
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._passing and self.conn.their_state is not h11.SEND_BODY:
            self._passed()
        if self.cycle is self._began and between:
            self._head += len(data)
        self._began = self.cycle
        if self._head > MAX_HEAD or (self.headers and len(self.headers) > MAX_HEADERS):
            detail = f"expected headers of at most {MAX_HEAD} bytes and {MAX_HEADERS} lines"
            self.refuse(431, detail)

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

    def _passed(self) -> None:
        """Tell that the whole of a request that was answered early is here."""
        self._passing, self._since, self._head, self._over = False, None, 0, self.cycle

    def send_400_response(self, msg: str) -> None:
        """Tell that it is no HTTP."""
        self.refuse(400, f"expected HTTP/1.1, got something else: {msg}")

    def late(self, now: float) -> None:
        """Close the connection if its request, or the end of its last answer, takes too long."""
        if self.transport.is_closing():
            self._closing = self._closing or now
            if now - self._closing >= self.receive_s:
                self.transport.abort()  # the client does not read what is left
            return
        if self._since is None or now - self._since < self.receive_s:
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


async def busy(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Refuse one connection too many."""
    problem = ProblemError(
        503, "too many connections", [(b"retry-after", b"1"), (b"connection", b"close")]
    )
    await send_answer(send, answer_of(problem))
