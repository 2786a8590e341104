"""What is done to rows before a product, done to their weights instead."""

import numpy as np
import onnx

from frugal_ai.export.editing import Array, Editing, attributes, make, sizes

Found = list[onnx.NodeProto] | None
Part = tuple[str, range]
"""A part of joined rows, and which of them it is."""


def rows_once(node: onnx.NodeProto, editing: Editing) -> Found:
    """Leave out parts that only pick rows of another part: ``a x + b x`` is ``(a + b) x``."""
    weights = node.input[0]
    joined = joined_rows(node.input[1], editing) if node.op_type == "MatMul" else None
    if joined is None or weights not in editing.fixed:
        return None
    parts = parts_of(joined, editing)
    shape = editing.shapes.get(weights, ())
    if parts is None or len(shape) != 2:
        return None
    found = [(one, again) for one in parts if (again := _again(one, parts, editing)) is not None]
    if not found:
        return None
    (_, its), rows = found[0]
    left = [one for one in parts if one is not found[0][0]]
    columns = [column for _, each in left for column in each]
    picked = np.zeros((len(its), len(columns)), np.float32)
    picked[np.arange(len(its)), [columns.index(row) for row in rows]] = 1
    names = [editing.fresh() for _ in range(5)]
    own, more = (editing.add_constant(np.array(one, np.int32)) for one in (columns, [*its]))
    return [
        make("Gather", [weights, own], names[0], axis=1),
        make("Gather", [weights, more], names[1], axis=1),
        make("MatMul", [names[1], editing.add_constant(picked)], names[2]),
        make("Add", [names[0], names[2]], names[3]),
        make("Concat", [name for name, _ in left], names[4], axis=1),
        make("MatMul", [names[3], names[4]], node.output[0]),
    ]


def rows_scaled(node: onnx.NodeProto, editing: Editing) -> Found:
    """Let weights hold what rows are multiplied or divided by: ``W (x s)`` is ``(W s) x``."""
    weights = node.input[0]
    joined = joined_rows(node.input[1], editing) if node.op_type == "MatMul" else None
    parts = parts_of(joined, editing) if joined is not None else None
    if parts is None or weights not in editing.fixed or len(editing.shapes.get(weights, ())) != 2:
        return None
    scale = np.ones((1, parts[-1][1].stop), np.float32)
    names = []
    for name, its in parts:
        made = editing.makers.get(name)
        own = _of_rows(made, len(its), editing) if len(editing.users[name]) == 1 else None
        if own is not None and made is not None:
            scale[0, its.start : its.stop] = own
        names.append(made.input[0] if own is not None and made is not None else name)
    if names == [name for name, _ in parts]:
        return None
    scaled, rows = editing.fresh(), editing.fresh()
    return [
        make("Mul", [weights, editing.add_constant(scale)], scaled),
        make("Concat", names, rows, axis=1),
        make("MatMul", [scaled, rows], node.output[0]),
    ]


def _of_rows(node: onnx.NodeProto | None, size: int, editing: Editing) -> Array | None:
    """Return what each of some rows is multiplied by, [n]; None where that is not all."""
    if node is None or node.op_type not in {"Mul", "Div"}:
        return None
    value = editing.constant(node.input[1])
    same = editing.shapes.get(node.input[0]) == editing.shapes.get(node.output[0])
    if value is None or value.shape != (size, 1) or not same:
        return None
    return np.asarray(value[:, 0] if node.op_type == "Mul" else 1 / value[:, 0], np.float32)


def joined_rows(name: str, editing: Editing) -> onnx.NodeProto | None:
    """Return the node that joins parts to rows [B, F, H], if nothing else reads these."""
    node = editing.made_by(name, "Concat")
    if node is None or attributes(node)["axis"] != 1 or len(editing.users[name]) > 1:
        return None
    return node


def parts_of(joined: onnx.NodeProto, editing: Editing) -> list[Part] | None:
    """Return the parts of joined rows."""
    found, start = [], 0
    for name in joined.input:
        shape = editing.shapes.get(name, ())
        if len(shape) != 3 or not isinstance(shape[1], int):
            return None
        found.append((name, range(start, start + shape[1])))
        start += shape[1]
    return found


def _again(part: Part, parts: list[Part], editing: Editing) -> list[int] | None:
    """Return which rows of other parts the rows of a part are; None where they are their own."""
    source, picked = _picked(part[0], editing)
    if picked is None:
        return None
    for other, its in parts:
        if other == source:
            return [its[row] for row in picked]
        own, listed = _picked(other, editing)
        if other != part[0] and own == source and listed and set(picked) <= set(listed):
            shorter = set(picked) < set(listed) or its.start < part[1].start
            if shorter:
                return [its[listed.index(row)] for row in picked]
    return None


def _picked(name: str, editing: Editing) -> tuple[str, list[int] | None]:
    """Return what rows are picked of, and which."""
    node = editing.made_by(name, "Gather")
    index = editing.constant(node.input[1]) if node else None
    if node is None or index is None or index.ndim != 1 or attributes(node).get("axis") != 1:
        return name, None
    return str(node.input[0]), sizes(index)
