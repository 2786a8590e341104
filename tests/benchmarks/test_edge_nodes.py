"""Bytes of trees in a graph."""

import lightgbm
import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v17 as op

from benchmarks.edge.nodes import nodes_of
from frugal_ai.ladder._trees import to_onnx


def graph(trees: int) -> tuple[bytes, lightgbm.Booster]:
    """Return trees behind something that is not of them."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3)).astype(np.float32)
    data = lightgbm.Dataset(rows, rows[:, 0] * rows[:, 1])
    booster = lightgbm.train({"verbosity": -1, "num_leaves": 7}, data, trees)
    given = spox.argument(spox.Tensor(np.float32, ("N", 3)))
    scaled = op.mul(given, op.const(np.arange(3, dtype=np.float32)))
    model = spox.build({"x": given}, {"y": to_onnx(scaled, booster.dump_model(), finite=True)})
    return model.SerializeToString(), booster


def test_splits_and_leaves_are_those_of_lightgbm() -> None:
    content, booster = graph(20)
    found = nodes_of(content)
    assert found is not None
    table = booster.trees_to_dataframe()
    assert found.splits == int(table["split_feature"].notna().sum())
    assert found.leaves == int(table["split_feature"].isna().sum())
    assert found.total == len(content)
    assert found.per_split > found.per_node


def test_more_trees_leave_the_rest_of_the_graph_as_it_is() -> None:
    few, many = (nodes_of(graph(count)[0]) for count in (20, 40))
    assert few is not None
    assert many is not None
    assert few.without == many.without
    assert few.per_node == pytest.approx(many.per_node, rel=0.1)


def test_a_graph_without_trees_has_no_nodes() -> None:
    given = spox.argument(spox.Tensor(np.float32, ("N", 3)))
    model = spox.build({"x": given}, {"y": op.relu(given)})
    assert isinstance(model, onnx.ModelProto)
    assert nodes_of(model.SerializeToString()) is None
