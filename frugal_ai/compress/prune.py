"""Pruning of the trees that a teacher has grown: fewer of them, merged leaves, values fitted anew.

What it gives is found without growing a tree, and follows the teacher's own splits.
"""

import heapq
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from frugal_ai.backtest.evaluate import SeriesModel
from frugal_ai.compress._model_text import (
    FloatArray,
    GrownTree,
    IntArray,
    constant_tree,
    read_trees,
    with_trees,
)
from frugal_ai.compress.lesson import Lesson, Surroundings
from frugal_ai.compress.student import with_quantiles
from frugal_ai.errors import RungError
from frugal_ai.ladder._lightgbm import Trees
from frugal_ai.ladder.boosting import PlainTrees, TreesOnLevel
from frugal_ai.ladder.residual_boosting import LinearAndTrees
from frugal_ai.ladder.rung import Fitted, Rows

_STEADY = 5.0  # rows that every leaf has beside its own, which say that its value should stay

_Leaf = tuple[float, int]  # value and rows


def pruned(
    model: SeriesModel,
    lesson: Lesson,
    around: Surroundings,
    trees: int,
    leaves: int,
    sweeps: int = 3,
) -> SeriesModel:
    """Prune a teacher that is at hand, with quantiles that follow; see `prune`.

    Raises
    ------
    RungError
        If the model is not one of trees.
    """
    fitted = getattr(model.forecaster, "fitted", None)
    rows = lesson.rows(model.graph, around, trust=1.0)
    return with_quantiles(prune(fitted, rows, trees, leaves, sweeps), model.graph, lesson, around)


def prune(fitted: object, rows: Rows, trees: int, leaves: int, sweeps: int = 3) -> Fitted:
    """Keep the first trees, merge leaves of the same split, and fit the values that remain.

    Parameters
    ----------
    fitted
        Trees, alone or beside something that stays as it is.
    rows
        What the pruned model is to say.
    trees, leaves
        How many remain at most, leaves of all trees together.
    sweeps
        Rounds in which each tree in turn fits its leaves to what the others leave, which merged
        leaves need. Without any the values stay: of trees that add little to a linear model the
        later ones have learnt noise, and nothing is to be made up for.

    Raises
    ------
    RungError
        If the model is not one of trees.
    """
    if not isinstance(fitted, PlainTrees | TreesOnLevel | LinearAndTrees):
        raise RungError(f"pruning: expected boosted trees, got {type(fitted).__name__}")
    read = fitted.plain if isinstance(fitted, LinearAndTrees) else rows.features.shape[2]
    inputs = rows.features[:, :, :read]
    head, grown = read_trees(fitted.trees.booster, trees)
    kept = merged(grown, leaves)
    booster = with_trees(head, kept)
    if sweeps:
        seen = np.isfinite(rows.target)
        silent = replace(fitted, trees=Trees(with_trees(head, [constant_tree(0.0)])))
        beside = silent.predict(rows.features)
        leaf = np.asarray(booster.predict(inputs[seen], pred_leaf=True, num_threads=1), np.int64)
        booster = with_trees(head, refitted(kept, leaf, (rows.target - beside)[seen], sweeps))
    return replace(fitted, trees=Trees(booster))


def merged(trees: Sequence[GrownTree], leaves: int) -> tuple[GrownTree, ...]:
    """Merge leaves until all trees together have no more than so many.

    Of the pairs of leaves below one split, over all trees, the one is merged next that adds least
    to the squared error (Breiman et al. 1984, Classification and regression trees, chapter 3).
    """
    ends: list[dict[int, _Leaf]] = [
        {-i - 1: (float(tree.value[i]), int(tree.count[i])) for i in range(tree.n_leaves)}
        for tree in trees
    ]
    parents = [_parents(tree) for tree in trees]
    heap = [
        entry
        for t, tree in enumerate(trees)
        for split in range(len(tree.left))
        if (entry := _pair(tree, ends[t], t, split))
    ]
    heapq.heapify(heap)
    total = sum(tree.n_leaves for tree in trees)
    while total > leaves and heap:
        _, t, split, leaf = heapq.heappop(heap)
        ends[t][split] = leaf
        total -= 1
        parent = parents[t].get(split)
        if parent is not None and (entry := _pair(trees[t], ends[t], t, parent)):
            heapq.heappush(heap, entry)
    return tuple(_cut(tree, end) for tree, end in zip(trees, ends, strict=True))


def refitted(
    trees: Sequence[GrownTree], leaf: IntArray, target: FloatArray, sweeps: int
) -> tuple[GrownTree, ...]:
    """Fit the leaves of each tree in turn to what the others leave of a target.

    Parameters
    ----------
    leaf
        Which leaf of each tree a row is in [n, trees].
    target
        [n].
    """
    values = [tree.value.copy() for tree in trees]
    left = target - sum(value[leaf[:, t]] for t, value in enumerate(values))
    weight = [np.bincount(leaf[:, t], minlength=len(v)) + _STEADY for t, v in enumerate(values)]
    for _ in range(sweeps):
        for t, value in enumerate(values):
            change = np.bincount(leaf[:, t], left, len(value)) / weight[t]
            values[t] = value + change
            left -= change[leaf[:, t]]
    return tuple(replace(tree, value=value) for tree, value in zip(trees, values, strict=True))


def _parents(tree: GrownTree) -> dict[int, int]:
    """Return the split above each split."""
    pairs = enumerate(zip(tree.left.tolist(), tree.right.tolist(), strict=True))
    return {child: split for split, both in pairs for child in both if child >= 0}


def _pair(
    tree: GrownTree, ends: dict[int, _Leaf], number: int, split: int
) -> tuple[float, int, int, _Leaf] | None:
    """Return what merging below a split costs, and the leaf that it gives; None above splits."""
    both = [ends.get(int(side[split])) for side in (tree.left, tree.right)]
    if both[0] is None or both[1] is None:
        return None
    (one, n_one), (other, n_other) = both[0], both[1]
    rows = max(n_one + n_other, 1)
    value = (one * n_one + other * n_other) / rows
    return (one - other) ** 2 * n_one * n_other / rows, number, split, (value, rows)


def _cut(tree: GrownTree, ends: dict[int, _Leaf]) -> GrownTree:
    """Write a tree anew down to its ends, splits from the root on."""
    kept: list[int] = []
    leaves: list[_Leaf] = []
    sides: list[list[int]] = []
    waiting = [(0 if len(tree.left) else -1, -1, 0)]  # node, its parent's new number, side
    while waiting:
        node, parent, side = waiting.pop()
        if node in ends:
            number = -len(leaves) - 1
            leaves.append(ends[node])
        else:
            number = len(kept)
            kept.append(node)
            sides.append([0, 0])
            waiting += [(int(tree.right[node]), number, 1), (int(tree.left[node]), number, 0)]
        if parent >= 0:
            sides[parent][side] = number
    return GrownTree(
        feature=tuple(tree.feature[s] for s in kept),
        gain=tuple(tree.gain[s] for s in kept),
        threshold=tuple(tree.threshold[s] for s in kept),
        decision=tuple(tree.decision[s] for s in kept),
        left=np.array([both[0] for both in sides], np.int64),
        right=np.array([both[1] for both in sides], np.int64),
        value=np.array([value for value, _ in leaves]),
        count=np.array([rows for _, rows in leaves], np.int64),
    )
