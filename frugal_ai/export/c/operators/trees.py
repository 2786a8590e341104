"""Ensembles of trees, as the TreeEnsemble of ai.onnx.ml 5 has them."""

import numpy as np

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.scalar import DOUBLE, FLOAT, Array, smallest
from frugal_ai.export.c.tensor import Ensemble, Joined, Tensor, TreeTable, flat

_SUM, _AS_IT_IS, _MEMBER = 1, 0, 6


def _tree_ensemble(call: Call) -> list[Tensor]:
    features = call.tensor()
    call.require(features.dtype, (FLOAT, DOUBLE))
    _refuse_options(call)
    columns = {name: _column(call, name) for name in _COLUMNS}
    splits, leaf = call.attribute("nodes_splits"), call.attribute("leaf_weights")
    if splits.dtype != features.dtype or leaf.dtype != features.dtype:
        call.refuse(f"expected splits and leaves of type {features.dtype.name}")
    rows = features.shape[0]
    targets = [
        Ensemble(leaf.dtype, (rows,), features, _table(call, columns, splits, leaf, target))
        for target in range(call.attribute("n_targets", 1))
    ]
    apart = tuple(flat(one, (rows, 1)) for one in targets)
    if len(apart) == 1:
        return [apart[0]]
    return [Joined(leaf.dtype, (rows, len(apart)), apart, 1)]


_COLUMNS = (
    "tree_roots", "nodes_featureids", "nodes_modes", "nodes_truenodeids", "nodes_trueleafs",
    "nodes_falsenodeids", "nodes_falseleafs", "leaf_targetids",
)  # fmt: skip


def _refuse_options(call: Call) -> None:
    if call.attribute("aggregate_function", _SUM) != _SUM:
        call.refuse("aggregate_function: expected 1, the sum")
    if call.attribute("post_transform", _AS_IT_IS) != _AS_IT_IS:
        call.refuse("post_transform: expected 0, none")
    if _column(call, "nodes_modes").max(initial=0) >= _MEMBER:
        call.refuse("nodes_modes: membership is not supported in C")


def _column(call: Call, name: str) -> Array:
    return np.asarray(call.attribute(name), dtype=np.int64)


def _table(
    call: Call, columns: dict[str, Array], splits: Array, leaf: Array, target: int
) -> TreeTable:
    """Put together the trees that add to one target."""
    branches = [
        np.where(columns[f"nodes_{side}leafs"] == 1, ~to, to)
        for side in ("true", "false")
        for to in (columns[f"nodes_{side}nodeids"],)
    ]
    roots = columns["tree_roots"]
    if call.attribute("n_targets", 1) > 1:
        found = [_targets(int(root), branches, columns["leaf_targetids"]) for root in roots]
        if any(len(one) > 1 for one in found):
            call.refuse("a tree with leaves of several targets is not supported in C")
        roots = roots[[one == {target} for one in found]]
    missing = call.attribute("nodes_missing_value_tracks_true") or np.zeros(len(splits))
    return TreeTable(
        roots=smallest(roots),
        feature=smallest(columns["nodes_featureids"]),
        threshold=splits,
        mode=smallest(columns["nodes_modes"]),
        missing=np.asarray(missing, np.uint8),
        true_branch=smallest(branches[0]),
        false_branch=smallest(branches[1]),
        leaf=leaf,
    )


def _targets(root: int, branches: list[Array], target: Array) -> set[int]:
    found, stack = set(), [root]
    while stack:
        node = stack.pop()
        for branch in branches:
            to = int(branch[node])
            if to < 0:
                found.add(int(target[~to]))
            else:
                stack.append(to)
    return found


OPERATORS: dict[str, Operator] = {"TreeEnsemble": _tree_ensemble}
