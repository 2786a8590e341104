"""Means of covariates over rolling windows in single precision, where no tree looks at them."""

import onnx

from frugal_ai.export.editing import Editing, attributes, make

_FLOAT, _DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


def single_rolling(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Add up in single precision what is differences of running sums.

    A covariate's windows are of some days, over which float32 holds sums to a millionth of what
    varies. Returns the nodes in the place of the cast to float that ends them, or None.
    """
    if node.op_type != "Cast" or attributes(node)["to"] != _FLOAT:
        return None
    product = editing.made_by(node.input[0], "MatMul")
    if product is None or product.input[0] not in editing.fixed:
        return None
    steps: list[onnx.NodeProto] = []
    name = product.input[1]
    while (step := editing.makers.get(name)) is not None and step.op_type != "Cast":
        if step.op_type not in {"Reshape", "CumSum", "Pad"} or len(editing.users[name]) > 1:
            return None
        steps.append(step)
        name = step.input[0]
    summed = any(one.op_type == "CumSum" for one in steps)
    if step is None or not summed or attributes(step)["to"] != _DOUBLE:
        return None
    if editing.types.get(step.input[0]) != _FLOAT:
        return None
    nodes, last = [], str(step.input[0])
    for one in reversed(steps):
        name = editing.fresh()
        nodes.append(make(one.op_type, [last, *one.input[1:]], name, **attributes(one)))
        last = name
    weights = editing.fresh()
    return [
        *nodes,
        make("Cast", [product.input[0]], weights, to=_FLOAT),
        make("MatMul", [weights, last], node.output[0]),
    ]
