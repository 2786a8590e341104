"""Constants moved towards the end of a graph, where they meet others and become one.

What a value is shifted by passes through kinks, products and sums as a constant that is computed
when the graph is opened; a forecast computes what depends on its inputs alone. Each rule takes a
node and returns the nodes in its place, or None. Values are the same but for rounding.
"""

from typing import NamedTuple

import numpy as np
import onnx

from frugal_ai.export.constants import value_of
from frugal_ai.export.editing import Dim, Editing, attributes, make

_LOWEST = float(np.finfo(np.float32).min)
_FINE = 2.0**20  # steps of 1 and more
_NONE: tuple[Dim, ...] = ()
Found = list[onnx.NodeProto] | None


class _Shift(NamedTuple):
    """A value plus or less a constant; ``kind`` is Add or Sub."""

    kind: str
    value: str
    constant: str


def _sum(node: onnx.NodeProto | None, editing: Editing) -> _Shift | None:
    """Return what a node is the sum or difference of, where one side is constant."""
    if node is None or node.op_type not in {"Add", "Sub"}:
        return None
    value, constant = node.input
    if node.op_type == "Add" and value in editing.fixed:
        value, constant = constant, value
    if constant not in editing.fixed or value in editing.fixed:
        return None
    return _Shift(node.op_type, value, constant) if _is_float(constant, editing) else None


def _shift(name: str, editing: Editing) -> _Shift | None:
    """Return what a value that is used once is the sum or difference of."""
    return _sum(editing.makers.get(name), editing) if _used_once(name, editing) else None


def _used_once(name: str, editing: Editing) -> bool:
    return len(editing.users.get(name, ())) == 1 and name not in editing.outputs


def _is_float(name: str, editing: Editing) -> bool:
    return editing.types.get(name) == onnx.TensorProto.FLOAT


def _sides(node: onnx.NodeProto, kinds: set[str], editing: Editing) -> tuple[str, str] | None:
    """Return the input of a node of two that moves with the inputs, and the constant one."""
    if node.op_type not in kinds or len(node.input) != 2:
        return None
    first, second = node.input
    if (first in editing.fixed) == (second in editing.fixed):
        return None
    return (second, first) if first in editing.fixed else (first, second)


def late_shift(node: onnx.NodeProto, editing: Editing) -> Found:
    """Cut off or multiply first and shift then.

    ``max(x + c, f)`` is ``max(x, f - c) + c``, ``(x + c) w`` is ``x w + c w``.
    """
    sides = _sides(node, {"Max", "Min", "Mul"}, editing)
    shift = _shift(sides[0], editing) if sides else None
    if sides is None or shift is None:
        return None
    first, constant = editing.fresh(), editing.fresh()
    if node.op_type == "Mul":
        return [
            make("Mul", [shift.value, sides[1]], first),
            make("Mul", [shift.constant, sides[1]], constant),
            make(shift.kind, [first, constant], node.output[0]),
        ]
    back = "Sub" if shift.kind == "Add" else "Add"
    return [
        make(back, [sides[1], shift.constant], constant),
        make(node.op_type, [shift.value, constant], first),
        make(shift.kind, [first, shift.constant], node.output[0]),
    ]


def late_relu(node: onnx.NodeProto, editing: Editing) -> Found:
    """Shift after a kink at zero, which so becomes one at the shift."""
    shift = _shift(node.input[0], editing) if node.op_type == "Relu" else None
    after = editing.users.get(node.output[0], ()) if shift else ()
    if shift is None or len(after) != 1 or after[0].op_type != "Min":
        return None  # alone nothing is gained
    zero = editing.add_constant(np.zeros(1, np.float32))
    return [make("Max", [node.input[0], zero], node.output[0])]


def late_product(node: onnx.NodeProto, editing: Editing) -> Found:
    """Sum up, or multiply by a matrix, and shift then: ``(x + c) W`` is ``x W + c W``."""
    sides = _sides(node, {"MatMul"}, editing)
    shift = _shift(sides[0], editing) if sides else None
    if sides is None or shift is None:
        return None
    weights, size = (editing.shapes.get(name, _NONE) for name in (sides[1], shift.constant))
    left = sides[1] == node.input[0]
    if len(weights) != 2 or not size:
        return None
    if left and weights[0] != 1 and not _near_zero(shift.value, editing):
        return None  # far from zero, and only their differences are small
    constant, nodes = shift.constant, []
    if left and weights[0] != 1 and len(size) == 2 and size[0] == 1:  # the same for all rows
        shape = editing.add_constant(np.array([weights[1], size[1]], np.int64))
        constant = editing.fresh()
        nodes.append(make("Expand", [shift.constant, shape], constant))
        size = (weights[1], size[1])
    if (size[-2:-1] if left else size[-1:]) != (weights[1 if left else 0],):
        return None
    names = editing.fresh(), editing.fresh()
    nodes += [
        make("MatMul", [sides[1], each] if left else [each, sides[1]], name)
        for each, name in zip((shift.value, constant), names, strict=True)
    ]
    return [*nodes, make(shift.kind, names, node.output[0])]


def _near_zero(name: str, editing: Editing) -> bool:
    """Say whether values are cut off, or scaled already, which only those near zero are."""
    node = editing.makers.get(name)
    return node is not None and node.op_type in {"Max", "Min", "Mul"}


def late_transpose(node: onnx.NodeProto, editing: Editing) -> Found:
    """Transpose and shift then."""
    shift = _shift(node.input[0], editing) if node.op_type == "Transpose" else None
    order = list(attributes(node)["perm"]) if shift else []
    size = editing.shapes.get(shift.constant, _NONE) if shift else _NONE
    if shift is None or order != [0, 2, 1] or len(size) not in (2, 3):
        return None
    first, constant = editing.fresh(), editing.fresh()
    turned = order if len(size) == 3 else [1, 0]
    return [
        make("Transpose", [shift.value], first, perm=order),
        make("Transpose", [shift.constant], constant, perm=turned),
        make(shift.kind, [first, constant], node.output[0]),
    ]


def turned_product(node: onnx.NodeProto, editing: Editing) -> Found:
    """Transpose what is multiplied, which a runtime does while it multiplies."""
    product = editing.made_by(node.input[0], "MatMul") if node.op_type == "Transpose" else None
    if product is None or list(attributes(node)["perm"]) != [0, 2, 1]:
        return None
    weights, rows = product.input
    if weights not in editing.fixed or len(editing.shapes.get(weights, _NONE)) != 2:
        return None
    if not _used_once(product.output[0], editing) or len(editing.shapes.get(rows, _NONE)) != 3:
        return None
    turned, wide = editing.fresh(), editing.fresh()
    return [
        make("Transpose", [rows], turned, perm=[0, 2, 1]),
        make("Transpose", [weights], wide, perm=[1, 0]),
        make("MatMul", [turned, wide], node.output[0]),
    ]


def late_squeeze(node: onnx.NodeProto, editing: Editing) -> Found:
    """Take an axis away after shifting, where it may meet another one that is added."""
    sides = _sides(node, {"Add"}, editing)
    before = editing.made_by(sides[0], "Squeeze") if sides else None
    if sides is None or before is None or not _used_once(sides[0], editing):
        return None
    size, wide = editing.shapes.get(sides[1], _NONE), editing.shapes.get(before.input[0], _NONE)
    axes = editing.constant(before.input[1]) if len(before.input) > 1 else None
    if len(size) != 1 or len(wide) != 3 or axes is None or axes.tolist() != [1]:
        return None
    total = editing.fresh()
    return [
        make("Add", [before.input[0], sides[1]], total),
        make("Squeeze", [total, before.input[1]], node.output[0]),
    ]


def summands(node: onnx.NodeProto, editing: Editing) -> Found:
    """Add two constants first that are added to a value one after the other."""
    outer = _sum(node, editing)
    inner = _shift(outer.value, editing) if outer else None
    if outer is None or inner is None:
        return None
    both = editing.fresh()
    same = outer.kind == inner.kind
    first, second = (outer, inner) if outer.kind == "Add" else (inner, outer)
    return [
        make("Add" if same else "Sub", [first.constant, second.constant], both),
        make(inner.kind if same else "Add", [inner.value, both], node.output[0]),
    ]


def carried(node: onnx.NodeProto, editing: Editing) -> Found:
    """Let a product carry the value that is added to it.

    ``x + min(max(x, low), high) W`` is ``min(max(x, low'), high') W'`` where one more column of x
    is never cut off and has the weight 1.
    """
    if node.op_type != "Add" or len(node.input) != 2 or not _is_float(node.output[0], editing):
        return None
    for value, other in (node.input, reversed(node.input)):
        found = _carried(value, other, node.output[0], editing)
        if found is not None:
            return found
    return None


def _carried(value: str, other: str, output: str, editing: Editing) -> Found:
    shift = _shift(other, editing)
    product = editing.made_by(shift.value if shift else other, "MatMul")
    if product is None:
        return None
    left = product.input[0] in editing.fixed
    weights, moved = product.input if left else reversed(product.input)
    high = editing.made_by(moved, "Min")
    low = editing.made_by(high.input[0], "Max") if high else None
    if high is None or low is None or low.input[0] != value:
        return None
    names = [low.input[1], high.input[1], weights]
    inner = [low.output[0], high.output[0], product.output[0]]
    if not editing.fixed.issuperset(names) or not all(_used_once(one, editing) for one in inner):
        return None
    edges = [value_of(name, editing) for name in names]
    along = int(left)  # the axis of the weights that is summed over; of the edges the other one
    width = edges[2].shape[along] if edges[2].ndim == 2 else 0
    shape = (width, 1) if left else (1, width)
    alone = editing.shapes.get(value, _NONE)[-2 if left else -1 :][:1] == (1,)
    if edges[0].shape != shape or edges[1].shape != shape or not alone:
        return None
    one = [1, 1]
    one[1 - along] = edges[2].shape[1 - along]
    beyond = (np.full((1, 1), _LOWEST), np.full((1, 1), -_LOWEST), np.ones(one))
    axes = (1 - along, 1 - along, along)
    wide = [
        editing.add_constant(np.concatenate([edge, more], axis=axis).astype(np.float32))
        for edge, more, axis in zip(edges, beyond, axes, strict=True)
    ]
    names = [editing.fresh() for _ in range(3)]
    sides = [wide[2], names[1]] if left else [names[1], wide[2]]
    nodes = [
        make("Max", [value, wide[0]], names[0]),
        make("Min", [names[0], wide[1]], names[1]),
        make("MatMul", sides, names[2] if shift else output),
    ]
    return [*nodes, make(shift.kind, [names[2], shift.constant], output)] if shift else nodes


def unrounded(node: onnx.NodeProto, editing: Editing) -> Found:
    """Leave values as they are that were only rounded so that trees see no last digit."""
    scale = editing.constant(node.input[1]) if node.op_type == "Mul" else None
    single = editing.made_by(node.input[0], "Cast") if scale is not None else None
    whole = editing.made_by(single.input[0], "Round") if single else None
    times = editing.made_by(whole.input[0], "Mul") if whole else None
    steps = editing.constant(times.input[1]) if times else None
    if times is None or scale is None or steps is None or scale.size != 1 or steps.size != 1:
        return None
    fine = float(steps.flat[0]) >= _FINE and float(steps.flat[0] * scale.flat[0]) == 1.0
    back = onnx.TensorProto.FLOAT
    return [make("Cast", [times.input[0]], node.output[0], to=back)] if fine else None


RULES = (
    unrounded, late_relu, late_shift, late_product, late_squeeze, late_transpose, carried, summands,
    turned_product,
)  # fmt: skip
