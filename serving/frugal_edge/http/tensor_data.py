"""Tensors of the Open Inference Protocol: in JSON, or in binary behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from frugal_edge.errors import InputError
from frugal_edge.http.arrays import refuse_flags
from frugal_edge.http.call import Answer, Call, answer
from frugal_edge.http.payload import parse_json, read_json
from frugal_edge.http.problems import ProblemError
from frugal_edge.manifest import Manifest, Tensor
from frugal_edge.strict_json import Node, shown

EXTENSION = "binary_tensor_data"
BINARY = b"application/octet-stream"
LENGTH = b"inference-header-content-length"
DATATYPES = {"float32": "FP32", "int64": "INT64"}
_LITTLE = {"float32": "<f4", "int64": "<i8"}

Array = NDArray[Any]


def request_of(call: Call) -> tuple[object, bytes]:
    """Split a request into its JSON and the binary data behind it.

    Raises
    ------
    ProblemError
        If the header that says where it ends is wrong, or there is no JSON.
    """
    length = call.headers.get(LENGTH)
    if length is None:
        return read_json(call).value, b""
    if len(length) > 15 or not length.isdigit() or int(length) > len(call.body):
        raise ProblemError(
            400,
            f"{LENGTH.decode()}: expected at most the {len(call.body)} bytes of the body,"
            f" got {length[:20].decode('latin-1')}",
        )
    end = int(length)
    return parse_json(call.body[:end]).value, call.body[end:]


def inputs_of(nodes: Sequence[Node], about: Manifest, binary: bytes) -> dict[str, Array]:
    """Read the inputs of one forecast, the batch axis of one taken off.

    Raises
    ------
    InputError
        If a name, datatype, shape or the data is not what the model reads.
    """
    found: dict[str, Array] = {}
    at = 0
    for node in nodes:
        name = node.text("name")
        tensor = about.inputs.get(name)
        if tensor is None or name in found:
            node.refuse("name", f"each of {', '.join(about.inputs)} once")
        shape = _shape(node, tensor)
        size = _binary_size(node)
        if size is None:
            found[name] = _from_json(node, tensor, shape)
        else:
            found[name] = _from_bytes(node, tensor, shape, binary[at : at + size], size)
            at += size
        node.close()
    if at != len(binary):
        raise InputError(f"body: expected {at} bytes of binary data, got {len(binary)}")
    return found


def _shape(node: Node, tensor: Tensor) -> list[int]:
    datatype = DATATYPES[tensor.dtype]
    if node.text("datatype") != datatype:
        node.refuse("datatype", datatype)
    expected = [1, *(size or 0 for size in tensor.shape[1:])]
    if node.array("shape") != expected:
        node.refuse("shape", f"{expected}, a batch of one")
    return expected[1:]


def _binary_size(node: Node) -> int | None:
    if not node.given("parameters"):
        return None
    parameters = node.node("parameters")
    size = parameters.integer("binary_data_size") if parameters.given("binary_data_size") else None
    parameters.as_dict()
    return size


def _from_json(node: Node, tensor: Tensor, shape: list[int]) -> Array:
    data = node.array("data")
    refuse_flags(tensor.name, data)
    try:
        array = np.asarray(data)
    except (ValueError, OverflowError):
        raise InputError(f"{tensor.name}: expected rows of equal length") from None
    kinds = "i" if tensor.dtype == "int64" else "if"
    if array.dtype.kind not in kinds:
        raise InputError(f"{tensor.name}: expected {DATATYPES[tensor.dtype]}, got {shown(data)}")
    return _shaped(tensor, array, shape)


def _from_bytes(node: Node, tensor: Tensor, shape: list[int], data: bytes, size: int) -> Array:
    if node.given("data"):
        node.refuse("data", "no data beside binary_data_size")
    little = np.dtype(_LITTLE[tensor.dtype])
    if len(data) != size or size % little.itemsize:
        raise InputError(f"{tensor.name}: expected {size} bytes of binary data, got {len(data)}")
    return _shaped(tensor, np.frombuffer(data, little), shape)


def _shaped(tensor: Tensor, array: Array, shape: list[int]) -> Array:
    count = int(np.prod(shape))
    if array.size != count:
        raise InputError(f"{tensor.name}: expected {count} values, got {array.size}")
    with np.errstate(over="ignore"):  # what overflows is refused as infinite
        return array.reshape(shape).astype(tensor.dtype)


def answer_of(head: dict[str, object], outputs: Sequence[tuple[Array, str, bool]]) -> Answer:
    """Write outputs: array, name, and whether it goes in binary behind the JSON."""
    told, behind = [], []
    for array, name, binary in outputs:
        one: dict[str, object] = {
            "name": name,
            "datatype": DATATYPES[array.dtype.name],
            "shape": array.shape,
        }
        if binary:
            data = np.ascontiguousarray(array, _LITTLE[array.dtype.name]).tobytes()
            one["parameters"] = {"binary_data_size": len(data)}
            behind.append(data)
        else:
            one["data"] = array.ravel()
        told.append(one)
    text = orjson.dumps({**head, "outputs": told}, option=orjson.OPT_SERIALIZE_NUMPY)
    if not behind:
        return answer(text)
    return answer(text + b"".join(behind), BINARY, headers=[(LENGTH, str(len(text)).encode())])
