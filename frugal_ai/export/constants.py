"""Constants of a graph: computed before, and stored in the shortest type that holds them."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import onnx
from frugal_edge.session import quiet_session
from onnx import numpy_helper

from frugal_ai.export.editing import Array, Editing, make

_NODE_BYTES = 24  # of a node that makes a constant from a shorter one, with its names
_SHORTER: dict[str, tuple[str, ...]] = {
    "float32": ("uint8", "int8", "float16", "int16"),
    "float64": ("uint8", "int8", "float16", "int16", "float32"),
    "int32": ("uint8", "int8", "uint16", "int16"),
    "int64": ("uint8", "int8", "uint16", "int16", "int32"),
}


def folded(editing: Editing) -> Editing:
    """Compute nodes that depend on constants alone, where the result is not longer than they are.

    What is longer is left to the runtime, which computes it when it opens the graph. So is what
    comes from weights of 16 bits, which may become 8 yet, or of 8, whose parts would be stored
    once more.
    """
    weights = _of_weights(editing)
    nodes = [
        node
        for node in editing.model.graph.node
        if node.output[0] in editing.fixed - weights and len(node.output) == 1
    ]
    values = _computed(nodes, editing)
    length = {name: _stored(array) for name, array in editing.constants.items()}
    known = dict(editing.constants)
    graph = editing.model.graph
    gone = []
    for node in nodes:
        (name,) = node.output
        made_of = sum(length[each] for each in set(node.input) if each) + node.ByteSize()
        length[name] = min(made_of, _stored(values[name]))
        known[name] = values[name]
        if _stored(values[name]) <= made_of and name not in editing.outputs:
            graph.initializer.append(numpy_helper.from_array(values[name], name))
            gone.append(name)
    kept = [node for node in graph.node if node.output[0] not in gone]
    del graph.node[:]
    graph.node.extend(kept)
    return editing


def _of_weights(editing: Editing) -> set[str]:
    """Name what depends on matrices of 8- or 16-bit integers that a forecast multiplies by."""
    found: set[str] = set()
    for name, array in editing.constants.items():
        if array.dtype in (np.int8, np.int16) and array.ndim > 1:
            cone = _cone(name, editing)
            longest = max(array.shape)  # what is longer is a matrix yet
            if any(_size(each, editing) > longest for each in _read_late(cone, editing)):
                found |= cone
    return found


def _cone(name: str, editing: Editing) -> set[str]:
    """Name a constant and the constants that depend on it."""
    found = {name}
    for node in editing.model.graph.node:
        if found.intersection(node.input) and node.output[0] in editing.fixed:
            found.update(node.output)
    return found


def _read_late(names: set[str], editing: Editing) -> Iterator[str]:
    """Yield those of some constants that what depends on inputs reads."""
    for name in names:
        if any(node.output[0] not in editing.fixed for node in editing.users.get(name, ())):
            yield name


def _size(name: str, editing: Editing) -> int:
    shape = editing.shapes.get(name, ())
    return math.prod(size for size in shape if isinstance(size, int))


def value_of(name: str, editing: Editing) -> Array:
    """Return what is constant, or is computed from constants alone."""
    found = editing.constant(name)
    if found is not None:
        return found
    nodes: list[onnx.NodeProto] = []
    waiting, seen = [name], set()
    while waiting:
        node = editing.makers.get(waiting.pop())
        if node is not None and node.output[0] not in seen:
            seen.add(node.output[0])
            nodes.append(node)
            waiting += node.input
    return _computed(_in_order(nodes), editing)[name]


def _in_order(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Put nodes behind what they read."""
    made = {node.output[0]: node for node in nodes}
    order: dict[str, onnx.NodeProto] = {}

    def visit(node: onnx.NodeProto) -> None:
        if node.output[0] not in order:
            for name in node.input:
                if name in made:
                    visit(made[name])
            order[node.output[0]] = node

    for node in nodes:
        visit(node)
    return list(order.values())


def _computed(nodes: Iterable[onnx.NodeProto], editing: Editing) -> dict[str, Array]:
    """Compute nodes by onnxruntime."""
    nodes = list(nodes)
    names = [name for node in nodes for name in node.output]
    if not names:
        return {}
    used = {name for node in nodes for name in node.input} & set(editing.constants)
    graph = onnx.helper.make_graph(
        nodes,
        "constants",
        [],
        [onnx.ValueInfoProto(name=name) for name in names],
        [numpy_helper.from_array(editing.constants[name], name) for name in sorted(used)],
    )
    model = onnx.ModelProto(ir_version=editing.model.ir_version, graph=graph)
    model.opset_import.extend(editing.model.opset_import)
    found = quiet_session(model.SerializeToString()).run(names, {})
    return dict(zip(names, found, strict=True))


def _stored(array: Array) -> int:
    """Return about how many bytes a constant takes."""
    if len(np.unique(array)) == 1 and array.size > 1:
        return min(array.nbytes, _NODE_BYTES + array.itemsize + 8 * array.ndim)
    short = _short(array)
    return array.nbytes if short is None else short.nbytes + _NODE_BYTES


def shortened(editing: Editing) -> Editing:
    """Store constants in the shortest type that holds them exactly, and write repeated ones once.

    The runtime widens them again when it opens the graph.
    """
    graph = editing.model.graph
    tensors, nodes = [], []
    for name, array in _initializers(editing):
        short = _short(array)
        if short is None:
            tensors.append(numpy_helper.from_array(array, name))
            continue
        inner = editing.fresh()
        if short.size < array.size:
            shape = editing.fresh()
            tensors.append(numpy_helper.from_array(np.array(array.shape, np.int64), shape))
            nodes.append(make("Expand", [inner, shape], name))
        else:
            wide = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            nodes.append(make("Cast", [inner], name, to=wide))
        tensors.append(numpy_helper.from_array(short, inner))
    rest = list(graph.node)
    del graph.node[:], graph.initializer[:]
    graph.initializer.extend(tensors)
    graph.node.extend([*nodes, *rest])
    return editing


def _initializers(editing: Editing) -> list[tuple[str, Array]]:
    used = {name for node in editing.model.graph.node for name in node.input}
    return [(name, array) for name, array in editing.constants.items() if name in used]


def _short(array: Array) -> Array | None:
    """Return a shorter form of an array; None where that would not pay."""
    if array.size > 1 and (array == array.flat[0]).all():
        return array.flat[:1].copy() if array.nbytes > 2 * _NODE_BYTES else None
    for kind in _SHORTER.get(array.dtype.name, ()):
        with np.errstate(over="ignore", invalid="ignore"):
            short = array.astype(kind)
            same = np.array_equal(short.astype(array.dtype), array)
        if same and array.nbytes - short.nbytes > _NODE_BYTES:
            return short
    return None
