"""Rules that make a graph smaller without changing what it computes.

Each takes a node and returns the name of a value that its output equals, or a node to take its
place, or None where it does not apply.
"""

from collections.abc import Callable

import numpy as np
import onnx

from frugal_ai.export.editing import Array, Editing, attributes, make, sizes

Found = str | onnx.NodeProto | None
Rule = Callable[[onnx.NodeProto, Editing], Found]
_FAR = 2**31


def same(node: onnx.NodeProto, editing: Editing) -> Found:
    """Drop what changes nothing: identities, casts to the same type, shapes that stay."""
    source: str = node.input[0]
    if node.op_type == "Identity" or (node.op_type == "Concat" and len(node.input) == 1):
        return source
    if node.op_type == "Cast":
        return source if editing.types.get(source) == attributes(node)["to"] else None
    if node.op_type in {"Reshape", "Expand", "Slice", "Gather"}:
        before, after = editing.shapes.get(source), editing.shapes.get(node.output[0])
        return source if before and after and _stays(node, editing) else None
    return None


def _stays(node: onnx.NodeProto, editing: Editing) -> bool:
    before = editing.shapes[node.input[0]]
    if node.op_type == "Slice":
        return _whole_slice(node, editing)
    value = editing.constant(node.input[1])
    if value is None:
        return False
    if node.op_type == "Gather":
        size = before[attributes(node).get("axis", 0)]
        return value.ndim == 1 and sizes(value) == list(range(size if isinstance(size, int) else 0))
    wanted = sizes(value)
    if node.op_type == "Expand":
        padded = (*(1,) * (len(wanted) - len(before)), *before)
        return len(wanted) <= len(before) and all(
            want in (1, size)
            for want, size in zip([1] * (len(before) - len(wanted)) + wanted, padded, strict=True)
        )
    unknown = [size for size in before if not isinstance(size, int)]
    return (
        len(unknown) <= 1
        and len(wanted) == len(before)
        and all(
            want == size if isinstance(size, int) else want == -1
            for want, size in zip(wanted, before, strict=True)
        )
    )


def _whole_slice(node: onnx.NodeProto, editing: Editing) -> bool:
    parts = [editing.constant(name) for name in node.input[1:]]
    if any(part is None for part in parts) or len(parts) < 3:
        return False
    starts, ends, axes, *steps = (
        [int(v) for v in np.ravel(part)] for part in parts if part is not None
    )
    if steps and any(step != 1 for step in steps[0]):
        return False
    before = editing.shapes[node.input[0]]
    for start, end, axis in zip(starts, ends, axes, strict=True):
        size = before[axis]
        if start != 0 or not isinstance(size, int) or end < size:
            return False
    return True


def neutral(node: onnx.NodeProto, editing: Editing) -> Found:
    """Drop sums with zeros and products with ones that do not widen their operand."""
    idle = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1}
    if node.op_type not in idle:
        return None
    sides = [(0, 1), (1, 0)] if node.op_type in {"Add", "Mul"} else [(0, 1)]
    for kept, other in sides:
        value = editing.constant(node.input[other])
        name: str = node.input[kept]
        if value is None or not value.size or not (value == idle[node.op_type]).all():
            continue
        if editing.shapes.get(name) == editing.shapes.get(node.output[0]) is not None:
            return name
    return None


def shape(node: onnx.NodeProto, editing: Editing) -> Found:
    """Replace a size that is always the same by the number."""
    if node.op_type == "Shape" and not node.attribute:
        found = editing.shapes.get(node.input[0])
        if found is not None and all(isinstance(size, int) for size in found):
            return editing.add_constant(np.array(found, np.int64))
    if node.op_type == "Gather":
        asked, index = editing.made_by(node.input[0], "Shape"), editing.constant(node.input[1])
        if asked is None or asked.attribute or index is None:
            return None
        found = editing.shapes.get(asked.input[0])
        chosen = [found[i] for i in sizes(index)] if found is not None else [None]
        if all(isinstance(size, int) for size in chosen):
            return editing.add_constant(np.array(chosen, np.int64).reshape(index.shape))
    return None


def reshapes(node: onnx.NodeProto, editing: Editing) -> Found:
    """Reshape once instead of twice, and take back no axis that was only just added."""
    before = editing.makers.get(node.input[0]) if node.input else None
    if before is None:
        return None
    if node.op_type == "Reshape" and before.op_type in {"Reshape", "Unsqueeze", "Squeeze"}:
        wanted = editing.constant(node.input[1])
        if wanted is not None and 0 not in sizes(wanted):
            return make("Reshape", [before.input[0], node.input[1]], node.output[0])
    if {node.op_type, before.op_type} == {"Squeeze", "Unsqueeze"} and len(node.input) == 2:
        axes = [editing.constant(one.input[1]) for one in (node, before)]
        if axes[0] is not None and axes[1] is not None and sizes(axes[0]) == sizes(axes[1]):
            return str(before.input[0])
        return _reshaped(node, before.input[0], editing)
    return None


def _reshaped(node: onnx.NodeProto, source: str, editing: Editing) -> Found:
    """Reshape instead of taking one axis and adding another."""
    shape = editing.shapes.get(node.output[0], ())
    if not shape or not all(isinstance(size, int) for size in shape[1:]):
        return None
    wanted = editing.add_constant(np.array([-1, *shape[1:]], np.int64))
    return make("Reshape", [source, wanted], node.output[0])


def transposes(node: onnx.NodeProto, editing: Editing) -> Found:
    """Take back a transposition that another one undoes; cut and pick before transposing."""
    added = editing.made_by(node.input[0], "Unsqueeze") if node.op_type == "Transpose" else None
    if added is not None and list(attributes(node)["perm"]) == [0, 2, 1]:
        axes = editing.constant(added.input[1])
        if axes is not None and sizes(axes) in ([1], [2]):  # an axis more, on the other side
            other = editing.add_constant(np.array([3 - sizes(axes)[0]], np.int64))
            return make("Unsqueeze", [added.input[0], other], node.output[0])
    before = editing.made_by(node.input[0], "Transpose") if node.input else None
    if before is None:
        return None
    order = list(attributes(before)["perm"])
    if node.op_type == "Transpose":
        both = [order[axis] for axis in attributes(node)["perm"]]
        if both == sorted(both):
            return str(before.input[0])
        return make("Transpose", [before.input[0]], node.output[0], perm=both)
    if node.op_type == "Gather":
        index, axis = editing.constant(node.input[1]), attributes(node).get("axis", 0)
        left = [one for one in order if one != order[axis]]
        if index is not None and index.ndim == 0 and left == sorted(left):
            inputs = [before.input[0], node.input[1]]
            return make("Gather", inputs, node.output[0], axis=order[axis])
    return None


def cut_transposed(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Cut first and transpose then; the two nodes in the place of a Slice, or None."""
    before = editing.made_by(node.input[0], "Transpose") if node.op_type == "Slice" else None
    axes = editing.constant(node.input[3]) if before is not None and len(node.input) > 3 else None
    if before is None or axes is None or not _only_cut(before.output[0], editing):
        return None
    order = list(attributes(before)["perm"])
    moved = editing.add_constant(np.array([order[axis] for axis in sizes(axes)], np.int64))
    middle = editing.fresh()
    cut = make("Slice", [before.input[0], *node.input[1:3], moved, *node.input[4:]], middle)
    return [cut, make("Transpose", [middle], node.output[0], perm=order)]


def _only_cut(name: str, editing: Editing) -> bool:
    """Say whether a transposed value is only cut, so that its transposition then goes."""
    return name not in editing.outputs and all(
        user.op_type in {"Slice", "Transpose"}
        or (user.op_type == "Gather" and editing.constants.get(user.input[1], np.ones(1)).ndim == 0)
        for user in editing.users.get(name, ())
    )


def gathers(node: onnx.NodeProto, editing: Editing) -> Found:
    """Pick once: out of what was picked, by a number, a list or a cut."""
    before = editing.made_by(node.input[0], "Gather") if node.input else None
    listed = editing.constant(before.input[1]) if before is not None else None
    if before is None or listed is None or listed.ndim != 1:
        return None
    axis = attributes(before).get("axis", 0)
    rank = len(editing.shapes.get(node.input[0], ()))
    picked: Array | None = None
    if node.op_type == "Gather" and attributes(node).get("axis", 0) == axis:
        index = editing.constant(node.input[1])
        picked = listed[index] if index is not None else None
    elif node.op_type == "Slice" and rank:
        picked = _cut_list(node, editing, listed, axis % rank, rank)
    if picked is None:
        return None
    name = editing.add_constant(np.asarray(picked))
    return make("Gather", [before.input[0], name], node.output[0], axis=axis)


def _cut_list(
    node: onnx.NodeProto, editing: Editing, listed: Array, axis: int, rank: int
) -> Array | None:
    parts = [editing.constant(name) for name in node.input[1:4]]
    if len(node.input) != 4 or any(part is None or part.size != 1 for part in parts):
        return None
    start, end, along = (int(np.ravel(part)[0]) for part in parts if part is not None)
    return listed[start : min(end, _FAR)] if along % rank == axis else None


RULES: tuple[Rule, ...] = (same, neutral, shape, reshapes, transposes, gathers)
