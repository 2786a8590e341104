"""The body of a request: received within the limit, and read as JSON."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from starlette.types import Receive

from frugal_edge.errors import InputError
from frugal_edge.http.call import JSON, Call
from frugal_edge.http.problems import DisconnectedError, ProblemError
from frugal_edge.strict_json import parse

_JSON_END = b"+json"
_SPACE_AND_NUMBERS = b" \t\r\n0123456789.,-+[]"  # what no key and no true or false is made of


async def receive_body(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """Receive a body, refusing it as soon as it is known to be too large.

    Raises
    ------
    ProblemError
        If it is larger than the limit [bytes], or compressed.
    DisconnectedError
        If the client goes away.
    """
    declared = headers.get(b"content-length", b"0")
    if len(declared) > 15 or not declared.isdigit() or int(declared) > limit:
        raise _too_large(limit, f"{declared[:20].decode('latin-1')} bytes")
    coding = headers.get(b"content-encoding", b"identity").lower()
    if coding != b"identity":
        raise ProblemError(415, f"content-encoding: expected none, got {coding.decode('latin-1')}")
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(body) > limit:
            raise _too_large(limit, "more")
        return body
    parts, size = [], 0
    while True:
        if message["type"] != "http.request":
            raise DisconnectedError("the client is gone")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit, "more")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _too_large(limit: int, given: str) -> ProblemError:
    return ProblemError(413, f"body: expected at most {limit} bytes, got {given}")


class Json(NamedTuple):
    """JSON that was read.

    Attributes
    ----------
    value
        As Python has it.
    words
        The text without white space, numbers and brackets of lists, which is short.
    """

    value: Any
    words: bytes

    @property
    def has_flags(self) -> bool:
        """Whether there may be true or false in it, which Python takes for numbers."""
        return b"true" in self.words or b"false" in self.words


def read_json(call: Call) -> Json:
    """Read the body as JSON.

    Raises
    ------
    ProblemError
        If the request says that it is something else, or it is not JSON as RFC 8259 has it.
    """
    kind = call.headers.get(b"content-type")
    if kind is not None and kind != JSON:
        named = kind.partition(b";")[0].strip().lower()
        if named != JSON and not named.endswith(_JSON_END):
            raise ProblemError(415, f"content-type: expected application/json, got {_shown(kind)}")
    return parse_json(call.body)


def parse_json(body: bytes) -> Json:
    """Read JSON, every number of which is finite and every key of an object another.

    Raises
    ------
    ProblemError
        If it is not JSON as RFC 8259 has it, or a key is repeated.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, f"body: expected JSON, got {_shown(body)}: {error}") from None
    words = body.translate(None, _SPACE_AND_NUMBERS)
    if words.count(b'":') != _keys(value):  # a repeated key, or a text that looks like one
        try:
            parse(body, "body", InputError)
        except InputError as error:
            raise ProblemError(400, str(error)) from None
    return Json(value, words)


def _keys(value: object) -> int:
    """Count the keys of all objects; in lists that begin with a number there should be none."""
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))
    if isinstance(value, list) and value and isinstance(value[0], dict | list):
        return sum(map(_keys, value))
    return 0


def _shown(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace")
    return repr(text + ("..." if len(data) > 60 else ""))
