"""Nodes that depend on no input, computed once and for all by onnxruntime."""

from collections.abc import Sequence

import onnx
from frugal_edge.session import quiet_session
from onnx import numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    NotImplemented,  # noqa: A004  # onnxruntime's name for an operator that it lacks
    RuntimeException,
)

from frugal_ai.export.c.graph import Node
from frugal_ai.export.c.scalar import Array

_ERRORS = (Fail, InvalidArgument, InvalidGraph, NotImplemented, RuntimeException)
_IR_VERSION = 8
_WORTH = 2048  # numbers from which bytes count more than the time that widening takes
_NARROW = {"Cast", "DequantizeLinear"}


def evaluate(node: Node, values: Sequence[Array | None]) -> list[Array]:
    """Compute the outputs of a node from constant inputs.

    Raises
    ------
    ExportError
        If onnxruntime cannot.
    """
    given = {
        name: value
        for name, value in zip(node.inputs, values, strict=True)
        if name and value is not None
    }
    graph = onnx.helper.make_graph(
        [node.proto],
        "constant",
        [],
        [onnx.ValueInfoProto(name=name) for name in node.outputs if name],
        [numpy_helper.from_array(value, name) for name, value in given.items()],
    )
    opset = onnx.helper.make_opsetid(node.domain, node.version)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
    try:
        return list(quiet_session(model.SerializeToString()).run(None, {}))
    except _ERRORS as error:
        node.refuse(f"onnxruntime cannot compute it: {' '.join(str(error).split())}")


def widens(node: Node, values: Sequence[Array | None]) -> bool:
    """Say whether a node only makes a matrix wider, so that it is better kept as it is.

    Vectors are few bytes, and are read faster when they need no conversion.
    """
    first = values[0] if values else None
    if node.operator not in _NARROW or first is None:
        return False
    sides = [size for size in first.shape if size > 1]
    worth = first.size >= _WORTH and len(sides) > 1 and first.dtype.kind in "iuf"
    return worth and first.itemsize <= 2 and bool((first != first.flat[0]).any())
