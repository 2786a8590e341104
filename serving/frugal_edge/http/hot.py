"""Requests that come again: known by their first bytes, and answered without reading them anew.

What the HTTP library made of a head on a connection at rest holds for the same bytes whenever they
come on a connection at rest. So no head is taken apart here: one is learnt after the library has
read it, and later only compared. Only heads that say plainly where the request ends are learnt.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from starlette.types import Scope

from frugal_edge.http.call import Answer, Call, Headers
from frugal_edge.http.endpoint import Endpoint, Shortcut, shortest

_MOST = 512  # heads; POST requests have one for each length of a body
_LONGEST = 1024  # bytes of a head
_END = b"\r\n\r\n"
_DEFER = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"})


class Known:
    """A head that was read before.

    Parameters
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

    def __init__(self, size: int, length: int, endpoint: Endpoint, call: Call) -> None:
        self.size = size
        self.length = length
        self._endpoint = endpoint
        self._call = call
        self._sent: Answer | None = None
        self._tail = b""

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Answer a request that begins with this head: status, and headers and body as sent."""
        if body:
            given = self._endpoint.reply(Call(self._call.headers, self._call.params, body))
            return given.status, _written(given)
        given = self._endpoint.reply(self._call)
        if given is not self._sent:  # the newest forecast is one object, written once
            self._sent, self._tail = given, _written(given)
        return given.status, self._tail


class Hot:
    """The heads that are known to a server.

    Parameters
    ----------
    shortcuts
        The routes whose requests are learnt.
    """

    def __init__(self, shortcuts: Iterable[Shortcut]) -> None:
        self._shortcuts = tuple(shortcuts)
        self._known: dict[bytes, Known] = {}
        self._general: object = None
        self._starts: dict[int, bytes] = {}

    def find(self, data: bytes) -> Known | None:
        """Return what is known of the head that data begin with."""
        return self._known.get(data[: data.find(_END) + 4])

    def answer(self, known: Known, body: bytes, general: Headers) -> bytes:
        """Return the bytes of an answer with the headers that all answers have."""
        status, tail = known.answer(body)
        if general is not self._general:  # they change with the second
            self._general, self._starts = general, {}
        start = self._starts.get(status)
        if start is None:
            start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() + _lines(general)
            self._starts[status] = start
        return start + tail

    def learn(self, data: bytes, scope: Scope) -> None:
        """Keep the head that data begin with, of which the library made a scope."""
        size = data.find(_END) + 4
        if not 4 <= size <= _LONGEST or not _plain(data[:size]) or scope["http_version"] != "1.1":
            return
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
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


def _plain(head: bytes) -> bool:
    """Say whether a head can end at its first empty line alone, whoever reads it."""
    return head[:1].isalpha() and head.count(b"\n") == head.count(b"\r\n") == head.count(b"\r")


def _written(given: Answer) -> bytes:
    return b"%s\r\n%s" % (_lines(given.headers), given.body)


def _lines(headers: Headers) -> bytes:
    return b"".join([b"%s: %s\r\n" % pair for pair in headers])
