"""The weights of a graph in fewer bits, each way a candidate of its own.

Weights are the constant matrices of products; scalers and biases are vectors and stay as they are,
because a scaler in few bits costs more skill than all weights together. Where a way does not apply
to a graph, it says so.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from frugal_edge.session import quiet_session
from numpy.typing import ArrayLike, NDArray
from onnx import helper, numpy_helper

from frugal_ai.errors import CompressionError
from frugal_ai.export.compact import compact

Array = NDArray[Any]
Feed = Mapping[str, Array]
Way = Callable[[onnx.ModelProto, Feed], onnx.ModelProto]

_LEAST = 64  # numbers of a matrix that is worth it
_LEVELS = 127  # of 8-bit weights, on either side of zero
_MIDDLE = 128  # of bytes without a sign
_LEAF_LEVELS = 1023  # of the leaves of trees
_LEAST_STEP = 1e-30
_PRODUCTS = ("MatMul", "Gemm")


@dataclass(frozen=True)
class _Use:
    """A constant matrix and a node that multiplies by it."""

    node: onnx.NodeProto
    place: int  # among the node's inputs
    value: Array

    @property
    def axis(self) -> int:
        """Axis of the matrix that the product does not sum over."""
        if self.node.op_type == "Mul":
            return 0
        turned = {one.name: one.i for one in self.node.attribute}
        first = self.place == 0
        return int(first == bool(turned.get("transA" if first else "transB", 0)))

    def steps(self) -> Array:
        """Return the step of 8-bit integers for each channel, of a shape that broadcasts."""
        other = 1 - self.axis
        largest = np.abs(self.value).max(axis=other, keepdims=True) / _LEVELS
        return np.asarray(np.where(largest > 0, largest, 1.0), np.float32)


def half(model: onnx.ModelProto, feed: Feed) -> onnx.ModelProto:  # noqa: ARG001 - a Way
    """Keep weights in 16 bits, as floating-point numbers of half precision.

    The runtime widens them when it opens the graph.
    """
    small = _copy(model)
    for use in _required(small, (*_PRODUCTS, "Mul"), "fp16"):
        if np.abs(use.value).max() > np.finfo(np.float16).max:
            raise CompressionError("fp16: a weight is beyond what half precision holds")
        name = _added(small, use.value.astype(np.float16))
        wide = f"{name}.wide"
        cast = helper.make_node("Cast", [name], [wide], to=onnx.TensorProto.FLOAT)
        _put(small, use, [cast], wide)
    return compact(small)


def int8_weights(model: onnx.ModelProto, feed: Feed) -> onnx.ModelProto:  # noqa: ARG001 - a Way
    """Keep weights in 8 bits, channel by channel; the runtime widens them when it opens the graph.

    The 16-bit integers of linear models are weights, too.
    """
    small = _copy(model)
    found = 0
    for tensor in list(small.graph.initializer):
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.int16 and value.ndim >= 2 and value.size >= _LEAST:
            found += _narrowed(small, tensor, value)
    for use in _uses(small, (*_PRODUCTS, "Mul")):
        name, step = _added(small, _rounded(use)), _added(small, use.steps())
        wide, scaled = f"{name}.wide", f"{name}.scaled"
        nodes = [
            helper.make_node("Cast", [name], [wide], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [wide, step], [scaled]),
        ]
        _put(small, use, nodes, scaled)
        found += 1
    if not found:
        raise CompressionError("int8 weights: the graph has no matrix of weights")
    return compact(small)


def int8_dynamic(model: onnx.ModelProto, feed: Feed) -> onnx.ModelProto:  # noqa: ARG001 - a Way
    """Multiply 8-bit weights by 8-bit values, whose range is found anew at each forecast."""
    small = _copy(model)
    for use in _required(small, ("MatMul",), "int8 dynamic"):
        first = use.place == 0
        # onnxruntime multiplies bytes without a sign by others, and only these
        whole_weights = (_rounded(use).astype(np.int16) + _MIDDLE).astype(np.uint8)
        name, middle = _added(small, whole_weights), _added(small, np.uint8(_MIDDLE))
        step = _added(small, use.steps())
        value = use.node.input[1 - use.place]
        whole, scale, zero, total, wide, both = (f"{name}.{i}" for i in range(6))
        sides = [name, whole, middle, zero] if first else [whole, name, zero, middle]
        nodes = [
            helper.make_node("DynamicQuantizeLinear", [value], [whole, scale, zero]),
            helper.make_node("MatMulInteger", sides, [total]),
            helper.make_node("Cast", [total], [wide], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [step, scale], [both]),
            helper.make_node("Mul", [wide, both], list(use.node.output)),
        ]
        _replace(small, use.node, nodes)
    return compact(small)


def int8_static(model: onnx.ModelProto, feed: Feed) -> onnx.ModelProto:
    """Round weights and what they are multiplied by to 8 bits, by ranges that were seen before.

    Parameters
    ----------
    feed
        Inputs of the graph, a batch of origins; the values that appear in between set the ranges.
    """
    small = _copy(model)
    uses = _required(small, ("MatMul",), "int8 static")
    ranges = _ranges(small, [use.node.input[1 - use.place] for use in uses], feed)
    for use in uses:
        name = _added(small, _rounded(use))
        step = _added(small, use.steps().reshape(-1))
        wide = f"{name}.wide"
        value = use.node.input[1 - use.place]
        low, high = ranges[value]
        size = max((high - low) / 255, _LEAST_STEP)
        zero = int(np.clip(np.rint(-low / size), 0, 255))
        scale, point = _added(small, np.float32(size)), _added(small, np.uint8(zero))
        whole, again = f"{name}.whole", f"{name}.again"
        nodes = [
            helper.make_node("DequantizeLinear", [name, step], [wide], axis=use.axis),
            helper.make_node("QuantizeLinear", [value, scale, point], [whole]),
            helper.make_node("DequantizeLinear", [whole, scale, point], [again]),
        ]
        sides = [wide, again] if use.place == 0 else [again, wide]
        product = helper.make_node("MatMul", sides, list(use.node.output))
        _replace(small, use.node, [*nodes, product])
    return compact(small)


def shared_leaves(model: onnx.ModelProto, feed: Feed) -> onnx.ModelProto:  # noqa: ARG001 - a Way
    """Round the leaves of trees to some hundred values, which the trees then share.

    onnxruntime knows trees of float32 alone, so that fewer bits for each leaf are fewer leaves.
    """
    small = _copy(model)
    trees = [node for node in small.graph.node if node.op_type == "TreeEnsemble"]
    if not trees:
        raise CompressionError("shared leaves: the graph has no trees")
    for node in trees:
        _share(node)
    return compact(small)


WAYS: Mapping[str, Way] = {
    "fp16": half,
    "int8 weights": int8_weights,
    "int8 static": int8_static,
    "int8 dynamic": int8_dynamic,
    "shared leaves": shared_leaves,
}
"""Each way by the name of its candidate."""


def _uses(model: onnx.ModelProto, kinds: tuple[str, ...]) -> Iterator[_Use]:
    """Yield the products with constant matrices of float32; each matrix is used once."""
    tensors = {one.name: one for one in model.graph.initializer}
    for node in list(model.graph.node):
        for place, name in enumerate(node.input[:2]):
            tensor = tensors.get(name)
            if node.op_type not in kinds or tensor is None:
                continue
            value = numpy_helper.to_array(tensor)
            plain = value.dtype == np.float32 and value.ndim == 2
            if plain and value.size >= _LEAST and min(value.shape) > 1:
                yield _Use(node, place, value)


def _required(model: onnx.ModelProto, kinds: tuple[str, ...], what: str) -> list[_Use]:
    found = list(_uses(model, kinds))
    if not found:
        raise CompressionError(
            f"{what}: expected a product with a matrix of float32 weights, the graph has none"
        )
    return found


def _rounded(use: _Use) -> Array:
    return np.asarray(np.rint(use.value / use.steps()), np.int8)


def _narrowed(model: onnx.ModelProto, tensor: onnx.TensorProto, value: Array) -> int:
    """Keep 16-bit weights of a linear model, [..., F, H], as 8 bits around a middle of each row."""
    readers = [node for node in model.graph.node if tensor.name in node.input]
    if len(readers) != 1 or readers[0].op_type != "Cast":
        return 0
    low, high = (edge(axis=-1, keepdims=True).astype(np.float32) for edge in (value.min, value.max))
    middle = np.rint((low + high) / 2)
    step = np.maximum((high - low) / (2 * _LEVELS), 1.0).astype(np.float32)
    name = _added(model, np.rint((value - middle) / step).astype(np.int8))
    wide, scaled = f"{name}.wide", f"{name}.scaled"
    nodes = [
        helper.make_node("Cast", [name], [wide], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", [wide, _added(model, step)], [scaled]),
        helper.make_node("Add", [scaled, _added(model, middle)], list(readers[0].output)),
    ]
    _replace(model, readers[0], nodes)
    return 1


def _ranges(model: onnx.ModelProto, names: list[str], feed: Feed) -> dict[str, tuple[float, float]]:
    """Return the least and the largest of values inside a graph over some origins, and zero."""
    seen = _copy(model)
    del seen.graph.output[:]
    seen.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names))
    session = quiet_session(seen.SerializeToString())
    read = {one.name: feed[one.name] for one in session.get_inputs()}
    found = session.run(None, read)
    return {
        str(output.name): (min(float(value.min()), 0.0), max(float(value.max()), 0.0))
        for output, value in zip(session.get_outputs(), found, strict=True)
    }


def _share(node: onnx.NodeProto) -> None:
    parts = {one.name: one for one in node.attribute}
    leaf = numpy_helper.to_array(parts["leaf_weights"].t)
    low, high = float(leaf.min()), float(leaf.max())
    step = (high - low) / _LEAF_LEVELS or 1.0
    rounded = np.rint((leaf - low) / step)
    found, which, count = np.unique(rounded, return_inverse=True, return_counts=True)
    often = np.argsort(-count, kind="stable")  # small numbers of leaves take fewer bytes
    values, place = found[often], np.argsort(often)[which]
    parts["leaf_weights"].t.CopyFrom(
        numpy_helper.from_array((low + values * step).astype(np.float32))
    )
    del parts["leaf_targetids"].ints[:]
    parts["leaf_targetids"].ints.extend([0] * len(values))
    for side in ("true", "false"):
        is_leaf = list(parts[f"nodes_{side}leafs"].ints)
        ids = parts[f"nodes_{side}nodeids"].ints
        moved = [int(place[i]) if leaf_ else i for i, leaf_ in zip(ids, is_leaf, strict=True)]
        del ids[:]
        ids.extend(moved)


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _added(model: onnx.ModelProto, value: ArrayLike) -> str:
    name = f"weights.{len(model.graph.initializer)}"
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def _put(model: onnx.ModelProto, use: _Use, nodes: list[onnx.NodeProto], name: str) -> None:
    """Let a product read a matrix that nodes make."""
    use.node.input[use.place] = name
    _replace(model, use.node, [*nodes, use.node])


def _replace(model: onnx.ModelProto, node: onnx.NodeProto, by: list[onnx.NodeProto]) -> None:
    made = node.output[0]
    kept = [new for old in model.graph.node for new in (by if old.output[0] == made else [old])]
    copies = [onnx.NodeProto.FromString(one.SerializeToString()) for one in kept]
    del model.graph.node[:]
    model.graph.node.extend(copies)
