"""From LightGBM's trees to one ai.onnx.ml v5 TreeEnsemble node."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import spox.opset.ai.onnx.ml.v5 as ml
import spox.opset.ai.onnx.v17 as op
from spox import Tensor, Var

from frugal_ai.errors import RungError

IDENTITY_OBJECTIVES = frozenset(
    {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}
)
"""Objectives whose `predict()` is the plain sum of the leaves."""

_Node = Mapping[str, Any]  # of dump_model()'s nested dictionaries
_ZERO_BAND = np.float32(1e-35)  # Booster.predict() reads |x| <= 1e-35f as 0
_INFINITE = 1e300  # dump_model() writes it where the model, in memory or saved, has infinity
_BRANCH_LEQ, _BRANCH_GT = 0, 3


@dataclass(frozen=True)
class TreeTable:
    """Trees as flat columns, in the order that the TreeEnsemble operator reads them.

    A row with mode 0 asks `x[feature] <= threshold`, one with mode 3 `x[feature] > threshold`; NaN
    answers both with no and takes the false branch. The mode so carries the way of NaN, and the
    operator's column for missing values, which would add 10 %, is not needed.
    A branch is an index into the leaves where its `_is_leaf` is 1, else into the rows.

    Two things keep a float32 sum over the trees accurate: every tree's leaves are shifted to lie
    around 0, with the shifts (and trees of one leaf) summed in `base` [unit of the target]; and the
    trees stand in ascending order of what they can contribute, so that small terms add up first.
    """

    n_features: int
    base: float
    roots: tuple[int, ...]  # [trees with at least one split]
    feature: tuple[int, ...]  # [R]
    threshold: npt.NDArray[np.float32]  # [R]
    mode: npt.NDArray[np.uint8]  # [R]
    true_branch: tuple[int, ...]  # [R]
    true_is_leaf: tuple[int, ...]  # [R]
    false_branch: tuple[int, ...]  # [R]
    false_is_leaf: tuple[int, ...]  # [R]
    leaf: npt.NDArray[np.float32]  # [L]


def tree_ensemble(model: Mapping[str, Any], *, finite: bool = False) -> TreeTable:
    """Flatten LightGBM's trees.

    Parameters
    ----------
    model
        What `lightgbm.Booster.dump_model()` returns.
    finite
        Whether features are never NaN; then every row has the mode 0, and onnxruntime, which has a
        loop of its own for rows of one mode, is about twice as fast.

    Returns
    -------
    TreeTable
        Takes the same branches as LightGBM for every float32 input, NaN and infinities included:
        a threshold is rounded down to float32, so `x <= t` decides alike for every float32 x.

    Raises
    ------
    RungError
        Naming the option of LightGBM whose trees this table cannot hold.
    """
    _refuse_model(model)
    levels = sorted((_level(tree) for tree in model["tree_info"]), key=itemgetter(0))
    rows = _Rows(finite)
    for _, shift, root, index in levels:
        rows.append(root, shift, index)
    leaf = np.array(rows.leaves, dtype=np.float64)
    base = math.fsum(shift for _, shift, _, _ in levels)
    if not (np.isfinite(leaf).all() and math.isfinite(base)):
        raise RungError("LightGBM: expected finite leaf values, got NaN or infinity")
    return TreeTable(
        n_features=int(model["max_feature_idx"]) + 1,
        base=base,
        roots=tuple(rows.roots),
        feature=tuple(rows.feature),
        threshold=floor_float32(np.array(rows.threshold, dtype=np.float64)),
        mode=np.array(rows.mode, dtype=np.uint8),
        true_branch=tuple(branch[0] for branch in rows.branch),
        true_is_leaf=tuple(leaves[0] for leaves in rows.is_leaf),
        false_branch=tuple(branch[1] for branch in rows.branch),
        false_is_leaf=tuple(leaves[1] for leaves in rows.is_leaf),
        leaf=leaf.astype(np.float32),
    )


def to_onnx(features: Var, model_dump: Mapping[str, Any], *, finite: bool = False) -> Var:
    """Write LightGBM's trees as one TreeEnsemble node (and one addition of their level).

    Parameters
    ----------
    features
        float32 [N, F], unscaled, in the order LightGBM was trained with.
    model_dump
        What `lightgbm.Booster.dump_model()` returns.
    finite
        As for `tree_ensemble`.

    Returns
    -------
    spox.Var
        float32 [N, 1], the operator's own shape. onnxruntime sums the leaves in float32.

    Raises
    ------
    RungError
        For an unsupported option of LightGBM, or features of another type or number.
    """
    table = tree_ensemble(model_dump, finite=finite)
    _check_features(features, table.n_features)
    base = op.const(np.array([[table.base]], dtype=np.float32))
    if not table.roots:
        n_rows = op.shape(features, start=0, end=1)
        return op.expand(base, op.concat([n_rows, op.const(np.array([1]))], axis=0))
    return op.add(_node(features, table), base)


def floor_float32(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return for each threshold the float32 that decides `x <= t` alike for every float32 x.

    That is the largest float32 not above it. Within 1e-35 of zero `Booster.predict()` takes x for
    0, so there the threshold moves to that band's edge; +-1e300 stand for infinity, which splits
    NaN from every number.
    """
    values = np.where(np.abs(values) >= _INFINITE, np.copysign(np.inf, values), values)
    with np.errstate(over="ignore", under="ignore"):  # beyond the largest and smallest float32
        nearest = values.astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
    floored = np.where(nearest.astype(np.float64) > values, below, nearest)
    in_band = np.abs(values) <= np.float64(_ZERO_BAND)
    edge = np.where(values >= 0, _ZERO_BAND, np.nextafter(-_ZERO_BAND, np.float32(-1)))
    return np.where(in_band, edge, floored).astype(np.float32)


@dataclass
class _Rows:
    """The columns of a TreeTable while the trees are walked."""

    finite: bool
    roots: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    mode: list[int] = field(default_factory=list)
    branch: list[list[int]] = field(default_factory=list)  # [R][true, false]
    is_leaf: list[list[int]] = field(default_factory=list)  # [R][true, false]
    leaves: list[float] = field(default_factory=list)

    def append(self, root: _Node, shift: float, tree: int) -> None:
        """Add one tree, depth first; a tree can be deeper than Python's recursion."""
        if "leaf_value" in root:
            _refuse_leaf(root, tree)
            return
        self.roots.append(len(self.feature))
        stack = self._split(root, tree)
        while stack:
            node, parent, side = stack.pop()
            if "leaf_value" in node:
                _refuse_leaf(node, tree)
                self.branch[parent][side] = len(self.leaves)
                self.leaves.append(float(node["leaf_value"]) - shift)
            else:
                self.branch[parent][side], self.is_leaf[parent][side] = len(self.feature), 0
                stack += self._split(node, tree)

    def _split(self, node: _Node, tree: int) -> list[tuple[_Node, int, int]]:
        """Add a row; return its children, each with the row and side that await its index."""
        _refuse_split(node, tree)
        row, threshold = len(self.feature), float(node["threshold"])
        # LightGBM reads NaN as 0 where training saw no missing value
        nan_goes_left = not self.finite and (
            node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0
        )
        self.feature.append(int(node["split_feature"]))
        self.threshold.append(threshold)
        self.mode.append(_BRANCH_GT if nan_goes_left else _BRANCH_LEQ)
        self.branch.append([0, 0])
        self.is_leaf.append([1, 1])
        left = int(nan_goes_left)  # the side of x <= threshold: true (0) or false (1)
        return [(node["right_child"], row, 1 - left), (node["left_child"], row, left)]


def _level(tree: _Node) -> tuple[float, float, _Node, int]:
    """Return half the range of a tree's leaves, their middle, the root and the tree's index."""
    root = tree["tree_structure"]
    values = [float(node["leaf_value"]) for node in _nodes(root) if "leaf_value" in node]
    low, high = min(values), max(values)
    return (high - low) / 2, (low + high) / 2, root, int(tree["tree_index"])


def _nodes(root: _Node) -> Iterator[_Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if "leaf_value" not in node:
            stack += [node["right_child"], node["left_child"]]


def _node(features: Var, table: TreeTable) -> Var:
    return ml.tree_ensemble(
        features,
        n_targets=1,
        tree_roots=table.roots,
        nodes_featureids=table.feature,
        nodes_modes=table.mode,
        nodes_splits=table.threshold,
        nodes_truenodeids=table.true_branch,
        nodes_trueleafs=table.true_is_leaf,
        nodes_falsenodeids=table.false_branch,
        nodes_falseleafs=table.false_is_leaf,
        leaf_targetids=[0] * len(table.leaf),
        leaf_weights=table.leaf,
    )


def _check_features(features: Var, expected: int) -> None:
    tensor = features.type
    if not isinstance(tensor, Tensor) or tensor.dtype != np.float32:
        raise RungError(f"LightGBM: expected float32 features [N, F], got {tensor}")
    shape = tensor.shape
    if shape is not None and (len(shape) != 2 or shape[1] not in (None, expected)):
        raise RungError(f"LightGBM: expected features [N, {expected}], got {list(shape)}")


def _refuse_model(model: Mapping[str, Any]) -> None:
    missing = sorted({"tree_info", "max_feature_idx", "num_tree_per_iteration"} - model.keys())
    if missing:
        raise RungError(f"LightGBM: expected what dump_model() returns, {missing} not in it")
    if model["num_tree_per_iteration"] != 1:
        trees = model["num_tree_per_iteration"]
        raise RungError(f"LightGBM: multiclass is not supported, got num_class={trees}")
    if model.get("average_output"):
        raise RungError("LightGBM: boosting=rf (average_output) is not supported")
    _refuse_objective(model.get("objective"))


def _refuse_objective(objective: str | None) -> None:
    # a user's own objective leaves none in the dump, and predict() does not transform it
    if objective is None or objective in IDENTITY_OBJECTIVES:
        return
    if objective.endswith(" sqrt"):
        raise RungError(f"LightGBM: reg_sqrt is not supported, got objective {objective!r}")
    known = ", ".join(sorted(IDENTITY_OBJECTIVES))
    raise RungError(
        f"LightGBM: objective {objective!r} is not supported, predict() transforms its output; "
        f"expected one of {known}"
    )


def _refuse_leaf(leaf: _Node, tree: int) -> None:
    if "leaf_const" in leaf or "leaf_coeff" in leaf:
        raise RungError(f"LightGBM: linear_tree is not supported, found in tree {tree}")


def _refuse_split(node: _Node, tree: int) -> None:
    where = f"tree {tree}, feature {node['split_feature']}"
    if node["decision_type"] == "==":
        raise RungError(f"LightGBM: categorical_feature is not supported, split '==' in {where}")
    if node["decision_type"] != "<=":
        kind = node["decision_type"]
        raise RungError(f"LightGBM: expected splits '<=', got {kind!r} in {where}")
    if node["missing_type"] == "Zero":
        raise RungError(f"LightGBM: zero_as_missing is not supported, found in {where}")
    if node["missing_type"] not in ("None", "NaN"):
        kind = node["missing_type"]
        raise RungError(f"LightGBM: expected missing_type None or NaN, got {kind!r} in {where}")
