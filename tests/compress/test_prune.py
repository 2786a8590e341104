from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.compress._model_text import read_trees, with_trees
from frugal_ai.compress.prune import merged, prune, refitted
from frugal_ai.errors import RungError
from frugal_ai.ladder._lightgbm import Trees
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.boosting import Boosting, PlainTrees
from frugal_ai.ladder.residual_boosting import LinearAndTrees, ResidualBoosting
from frugal_ai.ladder.rung import Rows

DAY = 86400
QUICK: dict[str, Any] = {"trees": 20, "leaves": 8, "rows_per_leaf": 10, "learning_rate": 0.2}


def rows(seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(120, 12, 5)).astype(np.float32)
    y = 3 + x[..., 0] * x[..., 1] + np.abs(x[..., 2]) + 0.1 * rng.normal(size=x.shape[:2])
    return Rows(x, y.astype(np.float64), np.arange(120) * DAY, 7200, plain=4, seed=0)


@pytest.fixture(scope="module")
def grown() -> PlainTrees:
    fitted = Boosting(level=None, loss="squared", **QUICK).fit(rows())
    assert isinstance(fitted, PlainTrees)
    return fitted


def flat() -> np.ndarray[Any, np.dtype[np.float32]]:
    return rows(1).features.reshape(-1, 5)


def test_a_model_read_and_written_is_the_same(grown: PlainTrees) -> None:
    booster = grown.trees.booster
    head, trees = read_trees(booster, 20)
    again = with_trees(head, trees)
    np.testing.assert_array_equal(again.predict(flat()), booster.predict(flat()))
    np.testing.assert_array_equal(again.feature_importance(), booster.feature_importance())


def test_the_first_trees_are_those_that_lightgbm_stops_after(grown: PlainTrees) -> None:
    booster = grown.trees.booster
    fewer = with_trees(*read_trees(booster, 7))
    assert fewer.num_trees() == 7
    np.testing.assert_array_equal(fewer.predict(flat()), booster.predict(flat(), num_iteration=7))


@given(leaves=st.integers(1, 160))
def test_no_more_leaves_remain_than_asked_for(grown: PlainTrees, leaves: int) -> None:
    head, trees = read_trees(grown.trees.booster, 20)
    kept = merged(trees, leaves)
    count = sum(tree.n_leaves for tree in kept)
    assert count == min(max(leaves, 20), sum(tree.n_leaves for tree in trees))
    model = with_trees(head, kept)
    # every leaf can be reached, and is what the model says of some row
    found = np.unique(np.asarray(model.predict(flat(), pred_leaf=True))[:, 0])
    assert len(found) <= kept[0].n_leaves
    assert np.isfinite(model.predict(flat())).all()


def test_a_merged_leaf_is_the_mean_of_the_rows_in_it() -> None:
    data = rows()
    x, y = data.features.reshape(-1, 5), data.target.reshape(-1)
    settings = {"objective": "regression", "num_leaves": 16, "learning_rate": 1.0, "verbosity": -1}
    one = lightgbm.train(settings, lightgbm.Dataset(x, y), 1)
    head, trees = read_trees(one, 1)
    kept = merged(trees, 5)
    model = with_trees(head, kept)
    leaf, said = np.asarray(model.predict(x, pred_leaf=True))[:, 0], model.predict(x)
    assert len(np.unique(leaf)) == 5
    for number in range(5):
        mine = leaf == number
        np.testing.assert_allclose(said[mine], y[mine].mean(), rtol=1e-6)
        assert kept[0].count[number] == mine.sum()


def test_the_pair_that_costs_least_is_merged_first() -> None:
    data = rows()
    x, y = data.features.reshape(-1, 5), data.target.reshape(-1)
    settings = {"objective": "regression", "num_leaves": 8, "learning_rate": 1.0, "verbosity": -1}
    one = lightgbm.train(settings, lightgbm.Dataset(x, y), 1)
    head, trees = read_trees(one, 1)

    def error(leaves: int) -> float:
        return float(((with_trees(head, merged(trees, leaves)).predict(x) - y) ** 2).sum())

    tree = trees[0]
    pairs = [
        (-left - 1, -right - 1)
        for left, right in zip(tree.left, tree.right, strict=True)
        if left < 0 and right < 0
    ]
    costs = [
        (tree.value[a] - tree.value[b]) ** 2
        * tree.count[a] * tree.count[b] / (tree.count[a] + tree.count[b])
        for a, b in pairs
    ]  # fmt: skip
    assert error(7) - error(8) == pytest.approx(min(costs), rel=1e-4)


def test_refitting_never_adds_to_the_error(grown: PlainTrees) -> None:
    data = rows()
    x, y = data.features.reshape(-1, 5), data.target.reshape(-1)
    head, trees = read_trees(grown.trees.booster, 20)
    kept = merged(trees, 60)
    model = with_trees(head, kept)
    leaf = np.asarray(model.predict(x, pred_leaf=True), np.int64)
    errors = [np.square(model.predict(x) - y).mean()]
    for sweeps in (1, 2, 5):
        again = with_trees(head, refitted(kept, leaf, y, sweeps))
        errors.append(np.square(again.predict(x) - y).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < 0.7 * errors[0]


def test_pruned_trees_follow_the_teacher_better_when_refitted(grown: PlainTrees) -> None:
    data = rows()
    told = replace(data, target=grown.predict(data.features))
    new = rows(2).features
    left, fitted = (prune(grown, told, 10, 50, sweeps) for sweeps in (0, 3))
    away = [np.abs(one.predict(new) - grown.predict(new)).mean() for one in (left, fitted)]
    assert away[1] < away[0]


def test_what_stands_beside_the_trees_stays(grown: PlainTrees) -> None:
    data = rows()
    teacher = ResidualBoosting(loss="squared", **QUICK).fit(data)
    assert isinstance(teacher, LinearAndTrees)
    fitted = prune(teacher, data, 5, 20)
    assert isinstance(fitted, LinearAndTrees)
    assert fitted.linear is teacher.linear
    assert fitted.trees.booster.num_trees() == 5
    # refitted for what the linear model leaves, not for the whole target
    error = [np.abs(one.predict(data.features) - data.target).mean() for one in (fitted, teacher)]
    assert error[0] < 1.5 * error[1] + 0.2


def test_trees_on_a_level_are_refitted_to_what_it_leaves() -> None:
    data = rows()
    data = replace(data, target=data.target + 100 * data.features[:, :, 0])
    teacher = Boosting(loss="squared", **QUICK).fit(data)
    fitted = prune(teacher, data, 20, 160)
    far = np.abs(fitted.predict(data.features) - teacher.predict(data.features)).mean()
    assert far < 0.3 * np.abs(data.target).mean()


def test_only_trees_can_be_pruned() -> None:
    data = rows()
    with pytest.raises(RungError, match="expected boosted trees, got LinearModel"):
        prune(BasisRidge().fit(data), data, 5, 20)


def test_categorical_splits_are_refused() -> None:
    data = rows()
    x = np.abs(np.rint(3 * data.features.reshape(-1, 5)))
    settings = {"objective": "regression", "verbosity": -1, "min_data_per_group": 5}
    one = lightgbm.train(
        settings, lightgbm.Dataset(x, data.target.reshape(-1), categorical_feature=[2]), 3
    )
    with pytest.raises(RungError, match="numerical splits"):
        prune(PlainTrees(Trees(one), (12, 5)), data, 3, 10)
