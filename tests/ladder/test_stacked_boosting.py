"""Trees on what a linear model says beside the features."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import spox
from frugal_edge.session import quiet_session

from frugal_ai.errors import RungError
from frugal_ai.ladder._levels import FittedLevels
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.linear_quantiles import LinearQuantiles
from frugal_ai.ladder.quantile_boosting import QuantileBoosting
from frugal_ai.ladder.rung import BoolArray, Fitted, FloatArray, Rows
from frugal_ai.ladder.stacked_boosting import Stacked, StackedBoosting

LEVELS = (0.1, 0.5, 0.9)
QUICK: dict[str, Any] = {
    "trees": 60,
    "leaves": 7,
    "rows_per_leaf": 20,
    "column_share": 1.0,
    "learning_rate": 0.1,
}
WEEK = 7 * 86400


def rows(n: int = 420, seed: int = 0, levels: tuple[float, ...] = LEVELS) -> Rows:
    """A slope along each plain column, a step that trees find, and unequal spread; one of basis."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(0, 1, (n, 2, 5)).astype(np.float32)
    slopes = features @ np.array([6.0, -4.0, 5.0, 0.0, 3.0])
    step = 3.0 * (features[:, :, 0] > 0.5) * (features[:, :, 1] > 0.5)
    noise = (0.2 + 0.6 * features[:, :, 3]) * rng.normal(size=(n, 2))
    origin = 86400 * np.arange(n, dtype=np.int64)
    return Rows(features, slopes + step + noise, origin, 3600, 4, 0, levels)


def stacked(given: Rows, **settings: Any) -> Stacked:
    fitted = StackedBoosting.model_validate({**QUICK, **settings}).fit(given)
    assert isinstance(fitted, Stacked)
    return fitted


def error(fitted: Fitted) -> float:
    new = rows(seed=1)
    return float(np.abs(fitted.predict(new.features) - new.target).mean())


def test_it_is_better_than_either_part() -> None:
    given = rows()
    alone = LinearQuantiles().fit(given), Boosting(level=None, **QUICK).fit(given)
    assert error(stacked(given)) < 0.97 * min(map(error, alone))


def test_its_quantiles_hold_better_than_those_of_trees_alone() -> None:
    given, new = rows(), rows(seed=1)
    trees = QuantileBoosting(level=None, **QUICK).fit(given)
    assert isinstance(trees, FittedLevels)

    def loss(quantiles: FloatArray) -> float:
        over = new.target[:, :, None] - quantiles
        return float(np.maximum(np.array(LEVELS) * over, (np.array(LEVELS) - 1) * over).mean())

    mine = stacked(given).predict_quantiles(new.features)
    assert loss(mine) < 0.97 * loss(trees.predict_quantiles(new.features))
    width = mine[:, :, 2] - mine[:, :, 0]
    wide = new.features[:, :, 3] > 0.5
    assert width[wide].mean() > 1.1 * width[~wide].mean()


def test_trees_learn_from_what_linear_models_say_of_weeks_they_have_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[set[int]] = []
    learn = LinearQuantiles.fit_levels

    def spy(self: LinearQuantiles, some: Rows) -> FittedLevels:
        seen.append(set((some.origin // WEEK).tolist()))
        return learn(self, some)

    monkeypatch.setattr(LinearQuantiles, "fit_levels", spy)
    given = rows()
    stacked(given, folds=3)
    *folds, last = seen
    weeks = set((given.origin // WEEK).tolist())
    assert last == weeks
    held = [weeks - fold for fold in folds]
    assert len(held) == 3
    assert set.union(*held) == weeks
    assert sum(map(len, held)) == len(weeks)


def test_folds_are_even_where_every_second_week_is_left_out() -> None:
    given = rows(800)
    even = given.some(given.origin // WEEK % 2 == 0)
    assert error(stacked(even)) < error(LinearQuantiles().fit(even))


@pytest.mark.parametrize("levels", [(), (0.5,), (0.1, 0.9), LEVELS])
def test_the_graph_says_the_same(levels: tuple[float, ...]) -> None:
    given = rows(levels=levels)
    fitted = stacked(given)
    argument = spox.argument(spox.Tensor(np.float32, ("B", 2, 5)))
    outputs = {"forecast": fitted.to_onnx(argument)}
    if levels:
        outputs["quantiles"] = fitted.quantiles_to_onnx(argument)
    content = spox.build({"features": argument}, outputs).SerializeToString()
    found = quiet_session(content).run(list(outputs), {"features": given.features})
    np.testing.assert_allclose(found[0], fitted.predict(given.features), atol=1e-4)
    if levels:
        expected = fitted.predict_quantiles(given.features)
        assert expected.shape == (*given.target.shape, len(levels))
        np.testing.assert_allclose(found[1], expected, atol=1e-4)


def test_what_nobody_reads_can_be_left_out() -> None:
    given = rows()
    blind = given.features.copy()
    blind[:, :, [1, 4]] = 1.0  # a constant says nothing, be it plain or of the basis
    fitted = stacked(replace(given, features=blind))
    assert fitted.reads.tolist() == [True, False, True, True, False]
    kept = np.flatnonzero(fitted.reads)
    fewer = fitted.kept(kept)
    expected = fitted.predict_quantiles(blind)
    np.testing.assert_allclose(fewer.predict_quantiles(blind[:, :, kept]), expected, rtol=1e-12)


def _night(given: Rows) -> BoolArray:
    night = np.zeros(given.target.shape, bool)
    night[::2, 0] = True
    return night


@pytest.mark.parametrize(
    "fit", [stacked, Boosting(level=None, **QUICK).fit], ids=["stacked", "boosting"]
)
def test_nothing_is_learnt_from_the_night(fit: Callable[[Rows], Fitted]) -> None:
    given = rows()
    night = _night(given)
    dark = replace(given, target=np.where(night, 0.0, given.target), idle=night)
    absurd = replace(given, target=np.where(night, 1e6, given.target), idle=night)
    np.testing.assert_array_equal(
        fit(dark).predict(given.features), fit(absurd).predict(given.features)
    )


def test_too_few_weeks_are_refused() -> None:
    with pytest.raises(RungError, match="at least 4 weeks, got 3"):
        stacked(rows(21))
