"""Ensembles of trees against onnxruntime and against LightGBM."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pytest
import spox
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.helper import make_node

from frugal_ai.errors import ExportError
from frugal_ai.export.c.compile import compile_graph
from frugal_ai.ladder import _trees

Array = NDArray[Any]
FEATURES = 5


def booster(rows: int = 400) -> tuple[lightgbm.Booster, Array]:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, (rows, FEATURES)).astype(np.float32)
    x[rng.uniform(size=x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0]) * 2 + np.where(np.nan_to_num(x[:, 1]) > 0, 3, -1)
    settings = {"objective": "regression", "num_leaves": 7, "verbosity": -1, "min_data_in_leaf": 5}
    data = lightgbm.Dataset(x, y)
    return lightgbm.train(settings, data, num_boost_round=30), x


def test_lightgbm_s_trees_with_missing_values(both: Callable[..., Any]) -> None:
    model, x = booster()
    features = spox.argument(spox.Tensor(np.float32, (48, FEATURES)))
    made = spox.build({"x": features}, {"y": _trees.to_onnx(features, model.dump_model())})
    here = both(made.SerializeToString())
    for start in (0, 100, 352):
        rows = x[start : start + 48]
        here.agree({"x": rows}, rtol=1e-6)
        np.testing.assert_allclose(here.c({"x": rows})[0][:, 0], model.predict(rows), rtol=1e-5)


def ensemble(modes: list[int], **changes: Any) -> Any:
    """Three trees: two splits, one split, and one whose both branches are the same leaf."""
    columns: dict[str, Any] = {
        "tree_roots": [0, 2, 3],
        "nodes_featureids": [0, 1, 2, 0],
        "nodes_splits": numpy_helper.from_array(np.array([0, 1, -1, 0], np.float32)),
        "nodes_modes": numpy_helper.from_array(np.array(modes, np.uint8)),
        "nodes_truenodeids": [1, 0, 2, 4],
        "nodes_trueleafs": [0, 1, 1, 1],
        "nodes_falsenodeids": [1, 5, 3, 4],
        "nodes_falseleafs": [1, 1, 1, 1],
        "leaf_targetids": [0, 0, 0, 0, 0, 0],
        "leaf_weights": numpy_helper.from_array(np.array([1, 2, 4, 8, 16, 32], np.float32)),
        "n_targets": 1,
        "aggregate_function": 1,
        "post_transform": 0,
    }
    return make_node("TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", **(columns | changes))


@pytest.mark.parametrize(
    "modes", [[0] * 4, [1] * 4, [2] * 4, [3] * 4, [4] * 4, [5] * 4, [0, 3, 4, 1]]
)
@pytest.mark.parametrize("missing", [None, [1, 0, 1, 0]])
def test_what_a_node_asks(
    check: Callable[..., None], modes: list[int], missing: list[int] | None
) -> None:
    grid = np.array(np.meshgrid([-2, 0, np.nan, 3], [-1, 1, 2], [-1, 0.5])).reshape(3, -1).T
    more = {} if missing is None else {"nodes_missing_value_tracks_true": missing}
    check([ensemble(modes, **more)], {"x": np.ascontiguousarray(grid, np.float32)})


def test_trees_for_several_targets(check: Callable[..., None]) -> None:
    node = ensemble([0] * 4, leaf_targetids=[1, 1, 0, 0, 2, 1], n_targets=3)
    check([node], {"x": np.random.default_rng(1).normal(0, 2, (9, 3)).astype(np.float32)})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aggregate_function": 0}, "aggregate_function: expected 1, the sum"),
        ({"post_transform": 1}, "post_transform: expected 0, none"),
        ({"leaf_targetids": [1, 0, 0, 0, 0, 0], "n_targets": 2}, "leaves of several targets"),
    ],
)
def test_other_ensembles_are_refused(
    graph_of: Callable[..., bytes], changes: dict[str, Any], said: str
) -> None:
    content = graph_of([ensemble([0] * 4, **changes)], {"x": np.zeros((1, 3), np.float32)}, {})
    with pytest.raises(ExportError, match=rf"node 0, ai.onnx.ml.TreeEnsemble -> y: .*{said}"):
        compile_graph(content)
