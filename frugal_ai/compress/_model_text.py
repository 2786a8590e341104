"""LightGBM's trees as arrays, from its text format and back, so that they can be changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from frugal_ai.errors import RungError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
_END = "\nend of trees\n"


@dataclass(frozen=True)
class GrownTree:
    """One tree; what is not changed stays the text that it is.

    A child that is not negative is a split, another one the leaf with the number ``-child - 1``.
    """

    feature: tuple[str, ...]  # [L - 1]
    gain: tuple[str, ...]  # [L - 1], by which LightGBM tells that a feature is split on
    threshold: tuple[str, ...]  # [L - 1]
    decision: tuple[str, ...]  # [L - 1]
    left: IntArray  # [L - 1]
    right: IntArray  # [L - 1]
    value: FloatArray  # [L]
    count: IntArray  # [L], rows that it has learnt from

    @property
    def n_leaves(self) -> int:
        """Number of leaves, L."""
        return len(self.value)


def constant_tree(value: float) -> GrownTree:
    """Return a tree of one leaf."""
    none = np.empty(0, np.int64)
    return GrownTree((), (), (), (), none, none, np.array([value]), np.ones(1, np.int64))


def read_trees(booster: lightgbm.Booster, first: int) -> tuple[str, tuple[GrownTree, ...]]:
    """Return the head of a model's text, and its first trees.

    Raises
    ------
    RungError
        If its splits are not all numerical, or its leaves no constants.
    """
    text: str = booster.model_to_string(num_iteration=first)
    head, *blocks = text.split(_END, maxsplit=1)[0].split("\nTree=")
    # their sizes are another key, which a reader does without
    kept = [line for line in head.splitlines() if not line.startswith("tree_sizes=")]
    return "\n".join(kept).rstrip(), tuple(_tree(block) for block in blocks)


def with_trees(head: str, trees: Sequence[GrownTree]) -> lightgbm.Booster:
    """Open a model of other trees under the head of one."""
    blocks = "".join(f"\n\nTree={i}\n{_block(tree)}" for i, tree in enumerate(trees))
    return lightgbm.Booster(model_str=f"{head}{blocks}\n{_END}")


def _tree(block: str) -> GrownTree:
    lines = (line.split("=", 1) for line in block.splitlines() if "=" in line)
    entries = {name: tuple(values.split()) for name, values in lines}
    if entries["num_cat"] != ("0",) or entries.get("is_linear", ("0",)) != ("0",):
        raise RungError("pruning: expected numerical splits and constant leaves")
    return GrownTree(
        feature=entries.get("split_feature", ()),
        gain=entries.get("split_gain", ()),
        threshold=entries.get("threshold", ()),
        decision=entries.get("decision_type", ()),
        left=np.array(entries.get("left_child", ()), np.int64),
        right=np.array(entries.get("right_child", ()), np.int64),
        value=np.array(entries["leaf_value"], np.float64),
        count=np.array(entries.get("leaf_count") or ("1",), np.int64),
    )


def _block(tree: GrownTree) -> str:
    entries: dict[str, Sequence[object]] = {
        "num_leaves": (tree.n_leaves,),
        "num_cat": (0,),
        "split_feature": tree.feature,
        "split_gain": tree.gain,
        "threshold": tree.threshold,
        "decision_type": tree.decision,
        "left_child": tree.left.tolist(),
        "right_child": tree.right.tolist(),
        "leaf_value": tree.value.tolist(),
        "leaf_count": tree.count.tolist(),
        "is_linear": (0,),
        "shrinkage": (1,),
    }
    return "\n".join(f"{name}={' '.join(map(str, values))}" for name, values in entries.items())
