"""Standardizing folded into the weights that follow it."""

import numpy as np
import onnx

from frugal_ai.export.constants import value_of
from frugal_ai.export.editing import Array, Dim, Editing, make

_NO_CANCELLATION = 30.0  # times the spread of a sum, which float32 then keeps to 2e-6 of it


def standardized(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Fold mean and scale of rows into the weights of a product; the nodes in its place, or None.

    ``W ((x - mean) * scale)`` is ``(W scale) x - (W scale) mean``, of which the runtime computes
    all but one product when it opens the graph. Where the second term would be many times the
    spread of the sum, the means stay.
    """
    if node.op_type != "MatMul" or node.input[0] not in editing.fixed:
        return None
    shape = editing.shapes.get(node.input[0], ())
    scaled = editing.made_by(node.input[1], "Mul")
    scale = _of_rows(scaled, shape, editing)
    if scaled is None or scale is None or len(editing.users.get(scaled.output[0], ())) > 1:
        return None
    turned = editing.add_constant(scale[None].astype(np.float32))
    folded = editing.fresh()
    weights = make("Mul", [node.input[0], turned], folded)
    centred = editing.made_by(scaled.input[0], "Sub")
    mean = _of_rows(centred, shape, editing)
    if centred is not None and mean is not None:
        size = np.abs(value_of(node.input[0], editing).astype(np.float64))  # [U, K]
        spread = np.linalg.norm(size, axis=1)
        if (size @ np.abs(scale * mean) <= _NO_CANCELLATION * spread).all():
            total, shift = editing.fresh(), editing.fresh()
            return [
                weights,
                make("MatMul", [folded, centred.input[0]], total),
                make("MatMul", [folded, centred.input[1]], shift),
                make("Sub", [total, shift], node.output[0]),
            ]
    return [weights, make("MatMul", [folded, scaled.input[0]], node.output[0])]


def _of_rows(
    node: onnx.NodeProto | None, weights: tuple[Dim, ...], editing: Editing
) -> Array | None:
    """Return the constant operand of a node if it is one number for each row, [K]."""
    value = editing.constant(node.input[1]) if node is not None else None
    if value is None or len(weights) != 2 or value.shape != (weights[1], 1):
        return None
    return np.asarray(value[:, 0], np.float64)
