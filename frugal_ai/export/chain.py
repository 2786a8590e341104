"""What is done one after the other, constants first: when the graph is opened, once and for all.

Each rule takes a node and returns the nodes in its place, or None.
"""

import math

import onnx

from frugal_ai.export.editing import Editing, attributes, make, sizes

Found = list[onnx.NodeProto] | None
_MOST = 1 << 18  # numbers of a table, a megabyte


def numbers_in_rows(node: onnx.NodeProto, editing: Editing) -> Found:
    """Multiply numbers as a row, which may be a product itself: ``W x`` is ``x W'``."""
    if node.op_type != "MatMul" or node.input[0] not in editing.fixed:
        return None
    column = editing.made_by(node.input[1], "Unsqueeze")
    axes = editing.constant(column.input[1]) if column else None
    shapes = [editing.shapes.get(name, ()) for name in (node.input[0], node.input[1])]
    if column is None or axes is None or sizes(axes) != [2] or [*map(len, shapes)] != [2, 3]:
        return None
    turned, product = editing.fresh(), editing.fresh()
    return [
        make("Transpose", [node.input[0]], turned, perm=[1, 0]),
        make("MatMul", [column.input[0], turned], product),
        make("Unsqueeze", [product, column.input[1]], node.output[0]),
    ]


def constants_first(node: onnx.NodeProto, editing: Editing) -> Found:
    """Multiply two constant matrices first: ``(x A) B`` is ``x (A B)``."""
    if node.op_type != "MatMul" or node.input[1] not in editing.fixed:
        return None
    inner = editing.made_by(node.input[0], "MatMul")
    if inner is None or inner.input[1] not in editing.fixed:
        return None
    shapes = [editing.shapes.get(name, ()) for name in (*inner.input, node.input[1])]
    alone = len(editing.users[inner.output[0]]) == 1 and inner.output[0] not in editing.outputs
    if [*map(len, shapes)] != [2, 2, 2] or inner.input[0] in editing.fixed or not alone:
        return None
    both = editing.fresh()
    return [
        make("MatMul", [inner.input[1], node.input[1]], both),
        make("MatMul", [inner.input[0], both], node.output[0]),
    ]


def looked_up_once(node: onnx.NodeProto, editing: Editing) -> Found:
    """Look up once, in a table of what is looked up: ``T[I[x]]`` is ``(T[I])[x]``."""
    inner = editing.made_by(node.input[1], "Gather") if node.op_type == "Gather" else None
    if inner is None or not {node.input[0], inner.input[0]} <= editing.fixed:
        return None
    table, index = (editing.shapes.get(name, ()) for name in (node.input[0], inner.input[0]))
    along = attributes(node).get("axis", 0) == attributes(inner).get("axis", 0) == 0
    numbers = [size for size in (*index, *table[1:]) if isinstance(size, int)]
    known = len(numbers) == len(index) + len(table) - 1
    if not along or len(index) != 1 or not known or math.prod(numbers) > _MOST:
        return None
    whole = editing.fresh()
    return [
        make("Gather", [node.input[0], inner.input[0]], whole),
        make("Gather", [whole, inner.input[1]], node.output[0]),
    ]
