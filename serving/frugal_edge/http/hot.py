"""Requests that come again: known by their first bytes, and answered without reading them anew.

What the HTTP library made of a head on a connection at rest holds for the same bytes whenever they
come on a connection at rest. So no head is taken apart here: one is learnt after the library has
read it, and later only compared. Only heads that say plainly where the request ends are learnt.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from frugal_edge.http.call import Answer, Call, Headers
from frugal_edge.http.endpoint import Endpoint, Shortcut, shortest
from frugal_edge.http.problems import FAULT, ProblemError, answer_of

_MOST = 512  # heads; POST requests have one for each length of a body
_LONGEST = 1024  # bytes of a head
_END = b"\r\n\r\n"
_DEFER = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"})

Give = Callable[[bytes], None]


class Known:
    """A head that was read before.

    Attributes
    ----------
    size
        Of the head [bytes].
    length
        Of the body that it announces [bytes].
    endpoint
        What answers.
    call
        The request without its body.
    """

    __slots__ = ("call", "endpoint", "length", "sent", "size", "tail")

    def __init__(self, size: int, length: int, endpoint: Endpoint, call: Call) -> None:
        self.size = size
        self.length = length
        self.endpoint = endpoint
        self.call = call
        self.sent: Answer | None = None
        self.tail = b""


class Hot:
    """The heads that are known to a server, and the requests that wait to be answered together.

    Parameters
    ----------
    shortcuts
        The routes whose requests are learnt.
    """

    def __init__(self, shortcuts: Iterable[Shortcut]) -> None:
        self._shortcuts = tuple(shortcuts)
        self._known: dict[bytes, Known] = {}
        self._waiting: list[tuple[Known, Call, Headers, Give]] = []
        self._general: object = None
        self._starts: dict[int, bytes] = {}

    def find(self, data: bytes) -> Known | None:
        """Return what is known of the head that data begin with."""
        return self._known.get(data[: data.find(_END) + 4])

    def ask(self, known: Known, body: bytes, general: Headers, give: Give) -> None:
        """Answer a request by calling `give` with bytes, now or when the loop comes round.

        What arrives in one turn of the loop for an endpoint that gathers is answered together.
        """
        if known.endpoint.gathers:
            if not self._waiting:
                asyncio.get_running_loop().call_soon(self._answer_all)
            call = Call(known.call.headers, known.call.params, body)
            self._waiting.append((known, call, general, give))
            return
        answer = _FAULT
        try:
            answer = known.endpoint.reply(known.call)
        finally:  # what went wrong is told by the loop
            if answer is not known.sent:  # the newest forecast is one object, written once
                known.sent, known.tail = answer, _written(answer)
            give(self._start(answer.status, general) + known.tail)

    def learn(self, data: bytes, scope: Mapping[str, Any]) -> None:
        """Keep the head that data begin with, of which the library made a scope."""
        size = data.find(_END) + 4
        if not 4 <= size <= _LONGEST or not _plain(data[:size]) or scope["http_version"] != "1.1":
            return
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]) or _DEFER & headers.keys():
            return
        if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return
        length = headers.get(b"content-length", b"0")
        found = shortest(self._shortcuts, scope["method"], scope["path"])
        if found is None or not length.isdigit() or len(length) > 9:
            return
        endpoint, params = found
        if len(data) - size <= int(length) <= endpoint.limit:
            if len(self._known) >= _MOST:
                self._known.clear()
            call = Call(headers, params)
            self._known[data[:size]] = Known(size, int(length), endpoint, call)

    def _answer_all(self) -> None:
        """Answer what has arrived since the loop last came round."""
        waiting, self._waiting = self._waiting, []
        endpoints = {id(known.endpoint): known.endpoint for known, *_ in waiting}
        for endpoint in endpoints.values():
            own = [one for one in waiting if one[0].endpoint is endpoint]
            answers: Sequence[Answer] = [_FAULT] * len(own)
            try:
                answers = endpoint.replies([call for _, call, _, _ in own])
            finally:  # likewise
                for (_, _, general, give), answer in zip(own, answers, strict=True):
                    give(self._start(answer.status, general) + _written(answer))

    def _start(self, status: int, general: Headers) -> bytes:
        if general is not self._general:  # they change with the second
            self._general, self._starts = general, {}
        start = self._starts.get(status)
        if start is None:
            start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() + _lines(general)
            self._starts[status] = start
        return start


_FAULT = answer_of(ProblemError(500, FAULT))


def _plain(head: bytes) -> bool:
    """Say whether a head can end at its first empty line alone, whoever reads it."""
    return head[:1].isalpha() and head.count(b"\n") == head.count(b"\r\n") == head.count(b"\r")


def _written(given: Answer) -> bytes:
    return b"%s\r\n%s" % (_lines(given.headers), given.body)


def _lines(headers: Headers) -> bytes:
    return b"".join([b"%s: %s\r\n" % pair for pair in headers])
