"""Standardizing folded into the weights that follow it."""

import numpy as np
import onnx

from frugal_ai.export.editing import Array, Dim, Editing, make


def standardized(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Fold the scale of rows into the weights of a product; the nodes in its place, or None.

    ``W ((x - mean) * scale)`` is ``(W scale) (x - mean)``, whose weights the runtime computes when
    it opens the graph. The means stay: ``(W scale) x - (W scale) mean`` would lose the digits by
    which the two exceed their difference, and air pressure exceeds its spread two hundredfold.
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
    return [weights, make("MatMul", [folded, scaled.input[0]], node.output[0])]


def _of_rows(
    node: onnx.NodeProto | None, weights: tuple[Dim, ...], editing: Editing
) -> Array | None:
    """Return the constant operand of a node if it is one number for each row, [K]."""
    value = editing.constant(node.input[1]) if node is not None else None
    if value is None or len(weights) != 2 or value.shape != (weights[1], 1):
        return None
    return np.asarray(value[:, 0], np.float64)
