"""Making a graph small without changing what it computes."""

import itertools
import string
from collections.abc import Iterator

import onnx


def compact(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the same graph with shared constants, shared nodes and short names.

    Equal constants become one initializer; a node that repeats another (same operator, inputs and
    attributes) is dropped; names of inner values become as short as they can be.

    Parameters
    ----------
    model
        Without subgraphs or functions, its nodes in topological order, as spox writes it.

    Returns
    -------
    onnx.ModelProto
        A new model; the given one stays as it is.
    """
    rewriter = _Rewriter(model)
    for tensor in model.graph.initializer:
        rewriter.constant(tensor.name, tensor)
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] not in rewriter.outputs:
            rewriter.constant(node.output[0], node.attribute[0].t)
        else:
            rewriter.node(node)
    return rewriter.result


def _labels(taken: set[str]) -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_letters, repeat=length):
            label = "".join(letters)
            if label not in taken:
                yield label


class _Rewriter:
    """Writes a graph anew, node by node."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.outputs = {value.name for value in model.graph.output}
        inputs = {value.name for value in model.graph.input}
        self._label = _labels(self.outputs | inputs)
        self._renamed = {name: name for name in (*inputs, "")}  # "" is an input left out
        self._constants: dict[bytes, str] = {}
        self._nodes: dict[bytes, list[str]] = {}
        self.result = onnx.ModelProto()
        self.result.CopyFrom(model)
        self.result.doc_string = self.result.graph.doc_string = ""
        self.result.graph.ClearField("node")
        self.result.graph.ClearField("initializer")
        self.result.graph.ClearField("value_info")

    def constant(self, name: str, tensor: onnx.TensorProto) -> None:
        """Keep a constant, or point to an equal one."""
        content = onnx.TensorProto()
        content.CopyFrom(tensor)
        content.name = content.doc_string = ""
        key = content.SerializeToString(deterministic=True)
        if key not in self._constants:
            content.name = self._constants[key] = next(self._label)
            self.result.graph.initializer.append(content)
        self._renamed[name] = self._constants[key]

    def node(self, node: onnx.NodeProto) -> None:
        """Keep a node, or point to one that computes the same."""
        content = onnx.NodeProto()
        content.CopyFrom(node)
        content.name = content.doc_string = ""
        content.input[:] = [self._renamed[name] for name in node.input]
        content.ClearField("output")
        key = content.SerializeToString(deterministic=True)
        is_output = any(name in self.outputs for name in node.output)
        if key not in self._nodes or is_output:
            self._nodes[key] = [
                name if name in self.outputs else next(self._label) for name in node.output
            ]
            content.output.extend(self._nodes[key])
            self.result.graph.node.append(content)
        self._renamed.update(zip(node.output, self._nodes[key], strict=True))
