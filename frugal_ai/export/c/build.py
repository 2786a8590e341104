"""From the nodes of a graph to tensors: shapes for one origin, constants folded."""

import numpy as np

from frugal_ai.export.c.fold import evaluate, widens
from frugal_ai.export.c.graph import ML_DOMAIN, Graph, Node
from frugal_ai.export.c.operators import OPERATORS
from frugal_ai.export.c.operators.call import Call, Shared
from frugal_ai.export.c.scalar import Array
from frugal_ai.export.c.tensor import Input, Tensor, constant

_SHAPES = ("Shape", "Size")
_REPEATING = ("Expand", "Gather")
_SCALING = ("Add", "Mul", "Sub", "Transpose")  # of constants that are kept in a small type


def build(graph: Graph) -> dict[str, Tensor]:
    """Return the outputs of a graph as tensors.

    Raises
    ------
    ExportError
        Naming the node that cannot be written in C, and why.
    """
    return _Builder(graph).outputs()


class _Builder:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._shared = Shared(exact=any(node.domain == ML_DOMAIN for node in graph.nodes))
        self._known: dict[str, Array] = dict(graph.constants)
        self._narrow: set[str] = set()
        self._tensors: dict[str, Tensor] = {
            spec.name: Input(spec.dtype, spec.shape, spec.name) for spec in graph.inputs
        }
        self._used = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)

    def outputs(self) -> dict[str, Tensor]:
        """Return the outputs by name."""
        for node in self._graph.nodes:
            self._node(node)
        return {name: self._tensor(name) for name in self._graph.outputs}

    def _tensor(self, name: str) -> Tensor:
        if name not in self._tensors:
            self._tensors[name] = constant(self._known[name])
        return self._tensors[name]

    def _node(self, node: Node) -> None:
        if node.operator in _SHAPES and node.inputs[0] in self._tensors:
            self._known[node.outputs[0]] = _shape_of(node, self._tensors[node.inputs[0]])
            return
        values = [self._known.get(name) for name in node.inputs]
        if all(not name or name in self._known for name in node.inputs):
            found = evaluate(node, values)
            self._known.update(zip(filter(None, node.outputs), found, strict=True))
            scaled = node.operator in _SCALING and any(name in self._narrow for name in node.inputs)
            given = sum(value.size for value in values if value is not None)
            repeated = node.operator in _REPEATING and found[0].size > max(given, 1)
            if not (scaled or repeated or widens(node, values)):
                return
            if not repeated:
                self._narrow.update(node.outputs)
        results = self._lowered(node, values)
        self._tensors.update(zip(node.outputs, results, strict=False))

    def _lowered(self, node: Node, values: list[Array | None]) -> list[Tensor]:
        operator = OPERATORS.get((node.domain, node.operator))
        if operator is None:
            node.refuse("the operator is not supported in C")
        call = Call(
            node=node,
            tensors=tuple(self._tensor(name) if name else None for name in node.inputs),
            values=tuple(values),
            used=tuple(name in self._used for name in node.outputs),
            shared=self._shared,
        )
        results = list(operator(call))
        if any(not tensor.size for tensor in results):
            node.refuse("expected elements, got an empty tensor")
        return results


def _shape_of(node: Node, tensor: Tensor) -> Array:
    if node.operator == "Size":
        return np.asarray(tensor.size, np.int64)
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    return np.asarray(tensor.shape[start:end], np.int64)
