"""Making a graph small, and always the same, without changing what it computes."""

import itertools
import string
from collections.abc import Iterator, Sequence

import onnx

from frugal_ai.export.economy import economize


def compact(model: onnx.ModelProto, *, fold_scalers: bool = True) -> onnx.ModelProto:
    """Return the same graph with less in it, short names and a fixed order.

    What `economize` finds is left out. Equal constants become one initializer; a node that repeats
    another (same operator, inputs and attributes) and one that nothing reads are dropped; inner
    names become as short as they can be; nodes, inputs and operator sets come in an order that
    depends on the computation alone.

    Parameters
    ----------
    model
        Without subgraphs or functions.
    fold_scalers
        As for `economize`.

    Returns
    -------
    onnx.ModelProto
        A new model; the given one stays as it is.
    """
    model = economize(model, fold_scalers=fold_scalers)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.ClearField("opset_import")
    result.opset_import.extend(sorted(model.opset_import, key=lambda entry: entry.domain))
    first = _Rewriter(model.graph).rewrite()
    result.graph.CopyFrom(_Rewriter(first).rewrite())  # names that outputs took over are free now
    return result


class _Rewriter:
    """Writes a graph anew, from its outputs back to what they are computed of."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._old = graph
        self._makers = {name: node for node in graph.node for name in node.output}
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._interface = {value.name for value in (*graph.input, *graph.output)}
        self._labels = self._short_names()
        # the name "" stands for an optional input that is left out
        self._renamed: dict[str, str] = {"": ""} | {value.name: value.name for value in graph.input}
        self._constants: dict[bytes, str] = {}
        self._nodes: dict[bytes, list[str]] = {}
        self._new = onnx.GraphProto(name=graph.name)

    def rewrite(self) -> onnx.GraphProto:
        """Return the new graph."""
        self._new.output.extend(self._old.output)
        for value in self._old.output:
            self._resolve(value.name)
        used = {name for node in self._new.node for name in node.input}
        kept = (value for value in self._old.input if value.name in used)
        self._new.input.extend(sorted(kept, key=lambda value: value.name))
        return self._new

    def _short_names(self) -> Iterator[str]:
        for length in itertools.count(1):
            for letters in itertools.product(string.ascii_letters, repeat=length):
                if (label := "".join(letters)) not in self._interface:
                    yield label

    def _resolve(self, name: str) -> str:
        """Return the new name of a value, after writing everything that it is computed of."""
        if name not in self._renamed:
            if name in self._tensors:
                self._renamed[name] = self._constant(self._tensors[name])
            elif self._makers[name].op_type == "Constant" and name not in self._interface:
                self._renamed[name] = self._constant(self._makers[name].attribute[0].t)
            else:
                self._node(self._makers[name])
        return self._renamed[name]

    def _constant(self, tensor: onnx.TensorProto) -> str:
        content = onnx.TensorProto()
        content.CopyFrom(tensor)
        content.name = content.doc_string = ""
        key: bytes = content.SerializeToString(deterministic=True)
        if key not in self._constants:
            self._constants[key] = next(self._labels)
            content.name = self._constants[key]
            self._new.initializer.append(content)
        return self._constants[key]

    def _node(self, node: onnx.NodeProto) -> None:
        content = onnx.NodeProto()
        content.CopyFrom(node)
        content.name = content.doc_string = ""
        content.input[:] = [self._resolve(name) for name in node.input]
        content.ClearField("output")
        key = content.SerializeToString(deterministic=True)
        if key in self._nodes and not self._interface & set(self._nodes[key]):
            self._name(self._nodes[key], node.output)
        elif key not in self._nodes or self._interface & set(node.output):
            self._nodes[key] = [
                name if name in self._interface else next(self._labels) for name in node.output
            ]
            content.output.extend(self._nodes[key])
            self._new.node.append(content)
        self._renamed.update(zip(node.output, self._nodes[key], strict=True))

    def _name(self, written: list[str], outputs: Sequence[str]) -> None:
        """Give what is written the names of outputs of the graph, where it is such."""
        for i, (old, name) in enumerate(zip(tuple(written), outputs, strict=True)):
            if name not in self._interface:
                continue
            for node in self._new.node:
                node.input[:] = [name if each == old else each for each in node.input]
                node.output[:] = [name if each == old else each for each in node.output]
            self._renamed = {k: name if v == old else v for k, v in self._renamed.items()}
            written[i] = name
