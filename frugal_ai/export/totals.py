"""Sums of the history in single precision, where no tree looks at their last digit."""

import numpy as np
import onnx

from frugal_ai.export.editing import Editing, attributes, make

_HISTORY = "history"


def single_sums(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Multiply the history by a matrix instead of adding it up step by step in double precision.

    Means of windows are differences of running sums, which need double precision: the longest sum
    has thousands of times the size of a step. A product sums each window for itself. The runtime
    makes the matrix when it opens the graph. Returns the nodes in the place of the cast to float
    that ends such means, or None.
    """
    if node.op_type != "Cast" or attributes(node)["to"] != onnx.TensorProto.FLOAT:
        return None
    product = editing.made_by(node.input[0], "MatMul")
    picked = editing.made_by(product.input[0], "Gather") if product else None
    sums = editing.made_by((picked or product).input[0], "CumSum") if product else None
    double = editing.made_by(sums.input[0], "Cast") if sums else None
    if product is None or sums is None or double is None:
        return None
    source = double.input[0]
    length = editing.shapes.get(source, ())
    if len(length) != 2 or not isinstance(length[1], int) or not _is_history(source, editing):
        return None
    index = np.arange(length[1]) if picked is None else editing.constant(picked.input[1])
    backwards = attributes(sums) == {"reverse": 1}
    along = picked is None or attributes(picked).get("axis") == 1
    if index is None or index.ndim != 1 or not backwards or not along:
        return None
    if product.input[1] not in editing.fixed:
        return None
    names = [editing.fresh() for _ in range(6)]
    count, zero, one, last, starts = (
        editing.add_constant(np.array(value, kind))
        for value, kind in (
            (length[1], np.int32), (0, np.int32), (1, np.int32), ([1], np.int64),
            (index - 1, np.int32),
        )
    )  # fmt: skip
    float32 = onnx.TensorProto.FLOAT
    return [
        make("Range", [zero, count, one], names[0]),
        make("Unsqueeze", [names[0], last], names[1]),
        make("Greater", [names[1], starts], names[2]),  # [N, starts]; folded, unlike GreaterOrEqual
        make("Cast", [names[2]], names[3], to=float32),
        make("Cast", [product.input[1]], names[4], to=float32),
        make("MatMul", [names[3], names[4]], names[5]),
        make("MatMul", [source, names[5]], node.output[0]),
    ]


def _is_history(name: str, editing: Editing) -> bool:
    """Say whether values are the last of the history, which is of the size of the forecast."""
    cut = editing.made_by(name, "Slice")
    return (cut.input[0] if cut else name) == _HISTORY
