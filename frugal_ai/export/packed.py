"""A model as bytes, with its lists of numbers packed."""

from collections.abc import Iterator

import onnx

# Fields of messages in onnx.proto: ModelProto.graph, GraphProto.node, NodeProto.attribute,
# AttributeProto.floats and .ints; all but the last two are on the way to these.
_GRAPH, _NODE, _ATTRIBUTE = 7, 1, 5
_FLOATS, _INTS = 7, 8
_VARINT, _LENGTH, _FIXED32, _FIXED64 = 0, 2, 5, 1


def serialized(model: onnx.ModelProto) -> bytes:
    """Serialize a model with the lists of its attributes packed.

    onnx's classes write a tag before every number of a list, which of the lists of a tree ensemble
    are a quarter of the bytes. Every reader of protocol buffers has to take both forms
    (Protocol Buffers, Encoding, "Packed Repeated Fields").

    Returns
    -------
    bytes
        The same for the same model.
    """
    content = model.SerializeToString(deterministic=True)
    return _rewritten(content, (_GRAPH, _NODE, _ATTRIBUTE))


def _rewritten(message: bytes, path: tuple[int, ...]) -> bytes:
    """Pack the lists of the messages at the end of a path of fields."""
    if not path:
        return _packed(message)
    out = bytearray()
    for number, wire, start, body, end in _fields(message):
        if number == path[0] and wire == _LENGTH:
            inner = _rewritten(message[body:end], path[1:])
            out += _tag(number, _LENGTH) + _varint(len(inner)) + inner
        else:
            out += message[start:end]
    return bytes(out)


def _packed(attribute: bytes) -> bytes:
    """Put the numbers of each list of an attribute behind one tag."""
    out, lists = bytearray(), {_FLOATS: bytearray(), _INTS: bytearray()}
    place: dict[int, int] = {}
    for number, wire, start, body, end in _fields(attribute):
        if number in lists and wire in (_VARINT, _FIXED32):
            place.setdefault(number, len(out))
            lists[number] += attribute[body:end]
        else:
            out += attribute[start:end]
    for number, at in sorted(place.items(), key=lambda item: -item[1]):
        content = lists[number]
        out[at:at] = _tag(number, _LENGTH) + _varint(len(content)) + content
    return bytes(out)


def _fields(message: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield number, wire type, start, start of the value and end of each field of a message."""
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        wire, body = key & 7, at
        if wire == _VARINT:
            _, at = _read_varint(message, at)
        elif wire == _LENGTH:
            size, body = _read_varint(message, at)
            at = body + size
        else:
            at += {_FIXED32: 4, _FIXED64: 8}[wire]
        yield key >> 3, wire, start, body, at


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)
