"""What a handler is given, and what it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

Headers = Sequence[tuple[bytes, bytes]]

JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be answered.

    Attributes
    ----------
    headers
        By lower-case name.
    params
        Parts of the path, by name.
    body
        All of it, empty where the route reads none.
    """

    headers: Mapping[bytes, bytes]
    params: Mapping[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Headers
    body: bytes


def answer(body: bytes, kind: bytes = JSON, status: int = 200, headers: Headers = ()) -> Answer:
    """Answer with bytes of a type."""
    length = str(len(body)).encode()
    return Answer(status, [(b"content-type", kind), (b"content-length", length), *headers], body)


def json_answer(value: object, status: int = 200) -> Answer:
    """Answer with JSON; numpy arrays as they are, float32 in its shortest decimals."""
    return answer(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), status=status)
