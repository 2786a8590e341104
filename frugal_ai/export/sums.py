"""Sums over features, which need them in no order.

A linear model is a product of ones, or of weights, with the rows of features. Where these were
only picked to put them in order, the weights are put in the order of the rows instead.
"""

from dataclasses import dataclass, field

import numpy as np
import onnx

from frugal_ai.export.editing import Array, Editing, attributes, make, sizes

_BY_ELEMENT = frozenset({"Add", "Sub", "Mul", "Div"})
_IDLE = -1  # stands for a row that no feature is
_MOST_IDLE = 0.15  # share of rows that a sum may multiply by zero, which is faster than to pick


def unordered(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Sum over rows as they stand; the nodes in the place of a product of weights and rows."""
    if node.op_type != "MatMul" or node.input[0] not in editing.fixed:
        return None
    chain, picked = _chain(node.input[1], editing)
    if picked is None or attributes(picked).get("axis") != 1:
        return None
    listed = editing.constant(picked.input[1])
    if listed is None or listed.ndim != 1:
        return None
    rows = _rows(picked.input[0], sizes(listed), editing)
    if rows is None:
        return None
    weights = rows.ordered(node.input[0], -1)
    name: str | None = rows.name
    for step in chain:
        name = rows.step(step, name)
    if weights is None or name is None:
        return None
    return [*rows.nodes, make("MatMul", [weights, name], node.output[0])]


def _chain(name: str, editing: Editing) -> tuple[list[onnx.NodeProto], onnx.NodeProto | None]:
    """Return the steps by element with constants, first to last, and the Gather before them."""
    steps: list[onnx.NodeProto] = []
    while (node := editing.makers.get(name)) is not None:
        if node.op_type == "Gather":
            return steps[::-1], node
        moving = [each for each in node.input if each not in editing.fixed]
        if node.op_type not in _BY_ELEMENT | {"Unsqueeze"} or len(moving) != 1:
            break
        steps.append(node)
        name = moving[0]
    return steps, None


@dataclass
class _Rows:
    """Rows in the order in which they stand.

    Attributes
    ----------
    name
        The rows, [B, R, H].
    order
        Feature of each row [R], or _IDLE.
    nodes
        What is added to the graph.
    """

    editing: Editing
    name: str
    order: list[int]
    nodes: list[onnx.NodeProto] = field(default_factory=list)

    def step(self, step: onnx.NodeProto, name: str | None) -> str | None:
        """Repeat a step of a chain on the rows; None where it is not one of each row alone."""
        if step.op_type == "Unsqueeze":
            axes = self.editing.constant(step.input[1])
            in_front = axes is not None and sizes(axes) == [1]
            return self.add(step, [name, step.input[1]]) if in_front else None
        fixed = self.editing.fixed
        return self.add(
            step, [self.ordered(each, -2) if each in fixed else name for each in step.input]
        )

    def ordered(self, name: str, axis: int) -> str | None:
        """Put an axis of a constant, or of what is made of some, into the order of the rows."""
        value = self.editing.constant(name)
        if value is not None:
            return self._taken(name, value, axis)
        node = self.editing.makers[name]
        if _IDLE in self.order and axis == -1 and node.op_type not in {"Cast", "Mul"}:
            return None  # zero would not stay zero
        if node.op_type in _BY_ELEMENT | {"Cast"}:
            return self.add(node, [self.ordered(each, axis) for each in node.input])
        if node.op_type == "Expand":
            shape = self.editing.constant(node.input[1])
            if shape is not None and (len(shape) < -axis or shape[axis] == 1):
                return self.add(node, [self.ordered(node.input[0], axis), node.input[1]])
        return None

    def _taken(self, name: str, value: Array, axis: int) -> str:
        if value.ndim < -axis or value.shape[axis] == 1:
            return name
        taken = np.take(value, np.maximum(self.order, 0), axis=axis)
        if axis == -1:
            taken = np.where(np.array(self.order) == _IDLE, 0, taken).astype(value.dtype)
        return self.editing.add_constant(taken)

    def add(self, like: onnx.NodeProto, inputs: list[str | None]) -> str | None:
        """Add a node like another one; None where an input could not be put in order."""
        known = [name for name in inputs if name is not None]
        if len(known) < len(inputs):
            return None
        name = self.editing.fresh()
        self.nodes.append(make(like.op_type, known, name, **attributes(like)))
        return name


def _rows(name: str, listed: list[int], editing: Editing) -> _Rows | None:
    """Say which feature stands in which row; rows that stand for several come again at the end."""
    shape = editing.shapes.get(name, ())
    if len(shape) != 3 or not isinstance(shape[1], int):
        return None
    first: dict[int, int] = {}
    again = [i for i, row in enumerate(listed) if first.setdefault(row, i) != i]
    order = [first.get(row, _IDLE) for row in range(shape[1])]
    if order.count(_IDLE) > _MOST_IDLE * len(order):
        return None
    rows = _Rows(editing, name, order)
    return rows if not again else _with_more(rows, again, [listed[i] for i in again])


def _with_more(rows: _Rows, features: list[int], places: list[int]) -> _Rows | None:
    """Put rows that are needed once more at the end, where they are only put side by side."""
    editing = rows.editing
    joined = editing.made_by(rows.name, "Concat")
    if joined is None or attributes(joined)["axis"] != 1:
        return None
    start, more = 0, []
    for part in joined.input:
        size = editing.shapes[part][1]
        if not isinstance(size, int):
            return None
        inside = [place - start for place in sorted(places) if start <= place < start + size]
        if inside:
            name = editing.fresh()
            index = editing.add_constant(np.array(inside, np.int32))
            rows.nodes.append(make("Gather", [part, index], name, axis=1))
            more.append(name)
        start += size
    by_place = [feature for _, feature in sorted(zip(places, features, strict=True))]
    rows.name = editing.fresh()
    rows.nodes.append(make("Concat", [*joined.input, *more], rows.name, axis=1))
    rows.order += by_place
    return rows
