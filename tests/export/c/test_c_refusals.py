"""What cannot be written in C is refused with one line that names the node."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.helper import make_node

from frugal_ai.errors import ExportError
from frugal_ai.export.c.compile import compile_graph

X = {"x": np.ones((2, 3), np.float32)}
WHOLE = {"x": np.ones((2, 3), np.int64)}


@pytest.mark.parametrize(
    ("node", "inputs", "constants", "said"),
    [
        (make_node("Det", ["x"], ["y"]), {"x": np.eye(3, dtype=np.float32)}, {},
         "node 0, Det -> y: the operator is not supported in C"),
        (make_node("Div", ["x", "x"], ["y"]), WHOLE, {},
         "node 0, Div -> y: expected constant a divisor of whole numbers"),
        (make_node("Mod", ["x", "n"], ["y"]), WHOLE, {"n": np.array([0])},
         "node 0, Mod -> y: expected no divisor 0"),
        (make_node("Reshape", ["x", "s"], ["y"]), X | {"s": np.array([6])}, {},
         "node 0, Reshape -> y: expected constant shape"),
        (make_node("Gather", ["x", "i"], ["y"]), X, {"i": np.array([2])},
         r"node 0, Gather -> y: expected indices from -2 to 1, got \[2\]"),
        (make_node("Cast", ["x"], ["y"], to=onnx.TensorProto.FLOAT16), X, {},
         "node 0, Cast -> y: conversion to float16 is not supported"),
        (make_node("Neg", ["x"], ["y"]), {"x": np.ones((1, 2), np.float16)}, {},
         "node 0, Neg -> y: type float16 is not supported in C, expected one of float32"),
        (make_node("MatMulInteger", ["x", "x"], ["y"]), {"x": np.ones((2, 2), np.int8)}, {},
         "node 0, MatMulInteger -> y: the operator is not supported in C"),
    ],
)  # fmt: skip
def test_nodes(
    graph_of: Callable[..., bytes],
    node: onnx.NodeProto,
    inputs: dict[str, Any],
    constants: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(ExportError, match=said) as caught:
        compile_graph(graph_of([node], inputs, constants))
    assert str(caught.value).startswith("model.onnx: ")
    assert "\n" not in str(caught.value)


def test_foreign_operators(graph_of: Callable[..., bytes]) -> None:
    model = onnx.load_model_from_string(graph_of([make_node("Neg", ["x"], ["y"])], X, {}))
    model.graph.node[0].CopyFrom(make_node("Gelu", ["x"], ["y"], domain="com.microsoft"))
    said = "node 0, com.microsoft.Gelu -> y: operators of com.microsoft are not supported"
    with pytest.raises(ExportError, match=said):
        compile_graph(model.SerializeToString())


def test_indices_of_top_k(graph_of: Callable[..., bytes]) -> None:
    node = make_node("TopK", ["x", "k"], ["v", "y"])
    with pytest.raises(ExportError, match="its second output, the indices, is not supported"):
        compile_graph(graph_of([node], X, {"k": np.array([2])}))


def test_subgraphs(graph_of: Callable[..., bytes]) -> None:
    branch = onnx.helper.make_graph(
        [make_node("Identity", ["x"], ["z"])], "branch", [], [onnx.ValueInfoProto(name="z")]
    )
    node = make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    with pytest.raises(ExportError, match=r"node 0, If -> y: .*(else|then)_branch is not supp"):
        compile_graph(graph_of([node], X | {"c": np.array(True)}, {}))


def test_an_axis_without_a_size(graph_of: Callable[..., bytes]) -> None:
    model = onnx.load_model_from_string(graph_of([make_node("Neg", ["x"], ["y"])], X, {}))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "N"
    with pytest.raises(ExportError, match="input x: expected a fixed size of every axis but the f"):
        compile_graph(model.SerializeToString())


@pytest.mark.parametrize("content", [b"", b"\x00", b"no model", b"\x08\x08"])
def test_what_is_no_model(content: bytes) -> None:
    with pytest.raises(ExportError, match=r"^model.onnx: expected an ONNX model, got"):
        compile_graph(content)


def test_values_that_onnxruntime_cannot_compute(graph_of: Callable[..., bytes]) -> None:
    node = make_node("Gather", ["t", "i"], ["z"])
    nodes = [node, make_node("Add", ["x", "z"], ["y"])]
    constants = {"t": np.ones(3, np.float32), "i": np.array([7])}
    with pytest.raises(ExportError, match="node 0, Gather -> z: onnxruntime cannot compute it"):
        compile_graph(graph_of(nodes, X, constants))
