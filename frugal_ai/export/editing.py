"""A graph while it is rewritten: nodes in order, constants as arrays, shapes as far as known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Array = NDArray[Any]
Dim = int | str | None
"""A size, the name of one that is known at run time, or None."""


@dataclass
class Editing:
    """The parts of a model that rules of rewriting look at."""

    model: onnx.ModelProto
    constants: dict[str, Array] = field(default_factory=dict)
    makers: dict[str, onnx.NodeProto] = field(default_factory=dict)
    shapes: dict[str, tuple[Dim, ...]] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    users: dict[str, list[onnx.NodeProto]] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)  # what depends on no input
    count: int = 0

    @classmethod
    def of(cls, model: onnx.ModelProto) -> "Editing":
        """Start from a model; constants become initializers."""
        own = onnx.ModelProto()
        own.CopyFrom(model)
        rest = [node for node in own.graph.node if node.op_type != "Constant"]
        for node in own.graph.node:
            if node.op_type == "Constant":
                tensor = onnx.TensorProto()
                tensor.CopyFrom(node.attribute[0].t)
                tensor.name = node.output[0]
                own.graph.initializer.append(tensor)
        del own.graph.node[:]
        own.graph.node.extend(rest)
        return cls(own).refreshed()

    def refreshed(self) -> "Editing":
        """Look at the model anew, after nodes have changed."""
        graph = self.model.graph
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        shapes: dict[str, tuple[Dim, ...]] = {}
        types: dict[str, int] = {}
        inferred = onnx.shape_inference.infer_shapes(self.model, data_prop=True).graph
        for value in (*inferred.input, *inferred.value_info, *inferred.output):
            tensor = value.type.tensor_type
            types[value.name] = tensor.elem_type
            if tensor.HasField("shape"):
                shapes[value.name] = tuple(map(_dim, tensor.shape.dim))
        for name, array in constants.items():
            shapes[name] = array.shape
            types[name] = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        makers = {name: node for node in graph.node for name in node.output}
        users: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in set(node.input):
                users.setdefault(name, []).append(node)
        fixed = set(constants)
        for node in graph.node:
            if fixed.issuperset(node.input):
                fixed.update(node.output)
        return Editing(self.model, constants, makers, shapes, types, users, fixed, self.count)

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the graph's outputs."""
        return frozenset(value.name for value in self.model.graph.output)

    def constant(self, name: str) -> Array | None:
        """Return the value of a constant."""
        return self.constants.get(name)

    def made_by(self, name: str, kind: str) -> onnx.NodeProto | None:
        """Return the node that makes a value if it is of a kind."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def add_constant(self, array: Array) -> str:
        """Add a constant to the graph and return its name."""
        name = self.fresh()
        self.model.graph.initializer.append(numpy_helper.from_array(array, name))
        self.constants[name] = array
        self.shapes[name] = array.shape
        return name

    def fresh(self) -> str:
        """Return a name that nothing has."""
        self.count += 1
        return f"economy.{self.count}"


def _dim(dim: Any) -> Dim:
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return str(dim.dim_param) or None if dim.HasField("dim_param") else None


def attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    """Return the attributes of a node as Python values."""
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def make(kind: str, inputs: Sequence[str], output: str, **attributes_: Any) -> onnx.NodeProto:
    """Write a node with one output."""
    return onnx.helper.make_node(kind, list(inputs), [output], **attributes_)


def sizes(array: Array) -> list[int]:
    """Return an array of whole numbers as a list."""
    return [int(value) for value in np.ravel(array)]
