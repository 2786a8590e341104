"""Constants as wide as what they meet, so that a runtime computes in one loop.

onnxruntime adds a column to rows in a loop of its own for each row, which takes twice as long as
all of them at once, and three times where rows are short.
"""

import math
from collections.abc import Iterator

import numpy as np
import onnx

from frugal_ai.export.editing import Dim, Editing, make

_BY_ELEMENT = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min"})
_MOST = 1 << 14  # numbers; what is wider takes longer to read than loops take to begin


def spread(editing: Editing) -> Editing:
    """Repeat constants to the size of what they are added to, multiplied by or compared with.

    The runtime does so when it opens the graph, and no result changes.
    """
    graph = editing.model.graph
    nodes: list[onnx.NodeProto] = []
    for node in list(graph.node):
        for place, shape in _narrow(node, editing):
            size = editing.add_constant(np.array(shape, np.int64))
            wide = editing.fresh()
            nodes.append(make("Expand", [node.input[place], size], wide))
            node.input[place] = wide
        nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return editing


def _narrow(node: onnx.NodeProto, editing: Editing) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the input that is constant and the shape it should have, if it is a narrower one."""
    if node.op_type not in _BY_ELEMENT or len(node.input) != 2:
        return
    moving = [name for name in node.input if name not in editing.fixed]
    if len(moving) != 1:
        return
    place = 1 - list(node.input).index(moving[0])
    shape, own = editing.shapes.get(moving[0]), editing.shapes.get(node.input[place])
    if shape is None or own is None or len(own) > len(shape):
        return
    if len(own) == len(shape) and own[0] != 1:
        return
    inner = _sizes(shape[1:])
    if inner is None or math.prod(inner) > _MOST or math.prod(_sizes(own) or (1,)) == 1:
        return  # a number alone is fast as it is
    padded = (*(1,) * (len(inner) - len(own)), *own)[-len(inner) :]
    if padded != inner and all(mine in (1, its) for mine, its in zip(padded, inner, strict=True)):
        yield place, inner


def _sizes(shape: tuple[Dim, ...]) -> tuple[int, ...] | None:
    known = tuple(size for size in shape if isinstance(size, int))
    return known if len(known) == len(shape) else None
