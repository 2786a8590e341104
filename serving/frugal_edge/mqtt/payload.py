"""What is in a forecast's message: the JSON of the HTTP service, or the same made small."""

import zlib

from frugal_edge.errors import InputError
from frugal_edge.strict_json import parse

_LARGEST = 1 << 24  # bytes of JSON; no forecast comes near
_BRACE = b"{"


def packed(body: bytes, *, deflate: bool) -> bytes:
    """Make a message of a forecast's JSON, zlib (RFC 1950) if it shall be small."""
    return zlib.compress(body, 9) if deflate else body


def unpacked(payload: bytes) -> object:
    """Read a message that `packed` made, of either kind: JSON begins with a brace, zlib does not.

    Raises
    ------
    InputError
        If it is neither.
    """
    if payload.startswith(_BRACE):
        return parse(payload, "forecast", InputError)
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(payload, _LARGEST)
    except zlib.error as error:
        raise InputError(f"forecast: neither JSON nor zlib: {error}") from None
    if not inflater.eof:
        raise InputError(f"forecast: cut off, or larger than {_LARGEST} bytes")
    return parse(body, "forecast", InputError)
