"""An ONNX graph as a list of nodes, and what cannot be read of it refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no stubs
from onnx import numpy_helper

from frugal_ai.errors import ExportError
from frugal_ai.export.c.scalar import Array, DType
from frugal_ai.export.c.shapes import Shape

ML_DOMAIN = "ai.onnx.ml"
DOMAINS = ("", ML_DOMAIN)


@dataclass(frozen=True)
class Node:
    """A node of the graph.

    Attributes
    ----------
    name
        That a message calls it by.
    """

    name: str
    operator: str
    domain: str
    version: int  # of the operator set
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: onnx.NodeProto

    def refuse(self, expected: str) -> NoReturn:
        """Say what of the node cannot be written in C.

        Raises
        ------
        ExportError
            Always.
        """
        raise ExportError(f"model.onnx: {self.name}: {expected}")


@dataclass(frozen=True)
class Spec:
    """An input or output of the graph for one origin: the batch axis has the size 1."""

    name: str
    dtype: DType
    shape: Shape


@dataclass(frozen=True)
class Graph:
    """A graph of nodes in an order in which they can be run."""

    inputs: tuple[Spec, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Array]
    nodes: tuple[Node, ...]


def read_graph(content: bytes) -> Graph:
    """Read a serialized model.

    Raises
    ------
    ExportError
        If it is not one, or holds what no C is written for: subgraphs, functions of its own,
        sparse or external constants, foreign operators.
    """
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError) as error:
        said = " ".join(str(error).split())
        raise ExportError(f"model.onnx: expected an ONNX model, got: {said}") from error
    graph = model.graph
    if model.functions or graph.sparse_initializer:
        what = "functions of its own" if model.functions else "sparse constants"
        raise ExportError(f"model.onnx: {what} are not supported in C")
    versions = {entry.domain: entry.version for entry in model.opset_import}
    constants = {tensor.name: _array(tensor) for tensor in graph.initializer}
    return Graph(
        inputs=tuple(_spec(value) for value in graph.input if value.name not in constants),
        outputs=tuple(value.name for value in graph.output),
        constants=constants,
        nodes=tuple(_node(k, node, versions) for k, node in enumerate(graph.node)),
    )


def _array(tensor: onnx.TensorProto) -> Array:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ExportError(f"model.onnx: constant {tensor.name}: expected it in the file itself")
    values = np.asarray(numpy_helper.to_array(tensor))
    if values.dtype.kind not in "biuf":
        raise ExportError(
            f"model.onnx: constant {tensor.name}: type {values.dtype} is not supported in C"
        )
    return values


def _spec(value: onnx.ValueInfoProto) -> Spec:
    tensor = value.type.tensor_type
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim]
    shape = tuple(1 if k == 0 and size is None else size for k, size in enumerate(sizes))
    if any(not size for size in shape):
        raise ExportError(
            f"model.onnx: input {value.name}: expected a fixed size of every axis but the first,"
            f" got {sizes}"
        )
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    return Spec(value.name, dtype, tuple(size for size in shape if size))


def _node(number: int, node: onnx.NodeProto, versions: Mapping[str, int]) -> Node:
    domain = "" if node.domain == "ai.onnx" else node.domain
    gives = ", ".join(name for name in node.output if name)
    name = f"node {number}, {f'{domain}.' if domain else ''}{node.op_type} -> {gives}"
    if domain not in DOMAINS:
        raise ExportError(f"model.onnx: {name}: operators of {domain} are not supported in C")
    return Node(
        name=name,
        operator=node.op_type,
        domain=domain,
        version=versions.get(domain, 1),
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={one.name: _attribute(name, one) for one in node.attribute},
        proto=node,
    )


def _attribute(name: str, attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return _array(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx.GraphProto | onnx.SparseTensorProto):
        raise ExportError(f"model.onnx: {name}: attribute {attribute.name} is not supported in C")
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
