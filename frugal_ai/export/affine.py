"""Standardizing folded into the weights that follow it."""

import numpy as np
import onnx

from frugal_ai.export.editing import Array, Editing, make

_NO_CANCELLATION = 30.0  # times the spread of a sum, which float32 then keeps to 2e-6 of it


def standardized(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Fold mean and scale of rows into the weights of a product; the nodes in its place, or None.

    ``W ((x - mean) * scale)`` is ``(W scale) x - W scale mean``. Where the second term would be
    many times the spread of the sum, the means stay.
    """
    weights = editing.constant(node.input[0]) if node.op_type == "MatMul" else None
    if weights is None or weights.ndim != 2 or weights.dtype != np.float32:
        return None
    scaled = editing.made_by(node.input[1], "Mul")
    scale = _of_rows(scaled, weights.shape[1], editing)
    if scaled is None or scale is None:
        return None
    folded = (weights.astype(np.float64) * scale).astype(np.float32)
    centred = editing.made_by(scaled.input[0], "Sub")
    mean = _of_rows(centred, weights.shape[1], editing)
    if centred is not None and mean is not None:
        terms = folded.astype(np.float64) * mean  # [U, K]
        spread = np.linalg.norm(weights.astype(np.float64), axis=1)
        if (np.abs(terms).sum(axis=1) <= _NO_CANCELLATION * spread).all():
            total = editing.fresh()
            shift = -terms.sum(axis=1)[:, None].astype(np.float32)
            return [
                make("MatMul", [editing.add_constant(folded), centred.input[0]], total),
                make("Add", [total, editing.add_constant(shift)], node.output[0]),
            ]
    return [make("MatMul", [editing.add_constant(folded), scaled.input[0]], node.output[0])]


def _of_rows(node: onnx.NodeProto | None, count: int, editing: Editing) -> Array | None:
    """Return the constant operand of a node if it is one number for each row, [K]."""
    value = editing.constant(node.input[1]) if node is not None else None
    if value is None or value.shape != (count, 1):
        return None
    return np.asarray(value[:, 0], np.float64)


def summands(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Add two constants first that are added to a value one after the other."""
    before = editing.made_by(node.input[0], "Add") if node.op_type == "Add" else None
    if before is None or len(editing.users.get(before.output[0], ())) > 1:
        return None
    values = [editing.constant(before.input[1]), editing.constant(node.input[1])]
    if values[0] is None or values[1] is None or values[0].shape != values[1].shape:
        return None
    both = editing.add_constant(values[0] + values[1])
    return [make("Add", [before.input[0], both], node.output[0])]
