"""The oldest versions of ONNX, and of onnxruntime, that a graph can do with."""

import onnx

from frugal_ai.errors import ExportError

TREES = "ai.onnx.ml"
_OLDEST_OPSET = 13  # Unsqueeze, Squeeze and ReduceSum take their axes as an input from here on
# What newer versions of operators brought of which no graph of ours makes use: types such as
# bfloat16, and attributes that have a default.
_SINCE_OLDEST = frozenset({
    "Add", "Sub", "Mul", "Div", "Relu", "Reshape", "CumSum", "Identity", "Where", "Shape",
    "LessOrEqual", "GreaterOrEqual", "ScatterElements", "Pad", "Cast", "Size", "Equal",
})  # fmt: skip
_NEW_ATTRIBUTES = frozenset({"allowzero", "start", "end", "reduction", "saturate"})
_SPOX = 17  # the operator set that nodes are written in
_FIRST_IR = {13: 7, 15: 8, 19: 9, 21: 10}  # of operator sets; onnx/docs/Versioning.md
_FIRST_IR_WITH_TREES = 10  # of ai.onnx.ml 5
# Found by loading graphs in environments of their own. 1.15 is the oldest with a wheel for Python
# 3.11. Of trees, 1.15 to 1.17 refuse the representation; 1.18 to 1.20 have no TreeEnsemble.
_ONNXRUNTIME = "1.15"
_ONNXRUNTIME_WITH_TREES = "1.21"
_NEWEST_TRIED = (17, 9)  # opset, and representation without trees


def lowered(model: onnx.ModelProto) -> onnx.ModelProto:
    """Declare the oldest operator set and representation that have all operators of a graph.

    Parameters
    ----------
    model
        Is changed.
    """
    for entry in model.opset_import:
        if not entry.domain and entry.version <= _SPOX:
            needed = [_oldest(node) for node in model.graph.node if not node.domain]
            entry.version = max([_OLDEST_OPSET, *needed])
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    model.ir_version = ir_version(opsets[""], opsets.get(TREES))
    return model


def _oldest(node: onnx.NodeProto) -> int:
    """Return the oldest operator set in which a node means what it means."""
    if node.op_type in _SINCE_OLDEST and not any(
        one.name in _NEW_ATTRIBUTES for one in node.attribute
    ):
        return _OLDEST_OPSET
    return int(onnx.defs.get_schema(node.op_type, _SPOX, "").since_version)


def ir_version(opset: int, ml_opset: int | None = None) -> int:
    """Return the oldest intermediate representation that goes with operator sets."""
    plain = max(ir for first, ir in _FIRST_IR.items() if opset >= first)
    return max(plain, _FIRST_IR_WITH_TREES) if ml_opset is not None and ml_opset >= 5 else plain


def minimum_onnxruntime(opset: int, ml_opset: int | None, ir: int) -> str:
    """Return the oldest onnxruntime that runs a graph with these versions.

    Raises
    ------
    ExportError
        If no graph as new as that was ever tried.
    """
    if ml_opset is not None:
        return _ONNXRUNTIME_WITH_TREES
    if opset > _NEWEST_TRIED[0] or ir > _NEWEST_TRIED[1]:
        raise ExportError(
            f"expected a graph of opset {_NEWEST_TRIED[0]} and representation {_NEWEST_TRIED[1]} "
            f"at most, got {opset} and {ir}"
        )
    return _ONNXRUNTIME
