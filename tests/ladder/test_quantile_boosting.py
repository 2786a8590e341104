"""Boosting of quantiles, and boosting without a level."""

from dataclasses import replace

import lightgbm
import numpy as np
import spox
from frugal_edge.session import quiet_session

from frugal_ai import ladder
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._levels import FittedLevels
from frugal_ai.ladder.boosting import PlainTrees, TreesOnLevel
from frugal_ai.ladder.rung import Fitted, Float32Array, FloatArray, Rows

LEVELS = (0.1, 0.5, 0.9)
QUICK = {"trees": 60, "leaves": 7, "rows_per_leaf": 20, "column_share": 1.0}
RECIPE = Recipe.model_validate({"features": [{"feature": "clock"}]})


def rows(n: int = 400) -> Rows:
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 1, (n, 2, 3)).astype(np.float32)
    target = 10 * features[:, :, 1] + (0.3 + 3 * features[:, :, 2]) * rng.normal(size=(n, 2))
    return Rows(features, target, 86400 * np.arange(n, dtype=np.int64), 3600, 3, 0, LEVELS)


def made(level: str | None, name: str = "quantile_boosting") -> tuple[Rows, Fitted]:
    data = rows()
    return data, ladder.make({"rung": name, "level": level, **QUICK}).fit(data)


def in_graph(fitted: Fitted, data: Rows) -> tuple[Float32Array, Float32Array]:
    argument = spox.argument(spox.Tensor(np.float32, ("B", *data.features.shape[1:])))
    outputs = {"forecast": fitted.to_onnx(argument)}
    if isinstance(fitted, FittedLevels):
        outputs["quantiles"] = fitted.quantiles_to_onnx(argument)
    model = spox.build({"features": argument}, outputs)
    session = quiet_session(model.SerializeToString())
    found = session.run(list(outputs), {"features": data.features})
    return found[0], found[-1]


def quantiles_of(level: str | None) -> tuple[Rows, FloatArray]:
    data, fitted = made(level)
    assert isinstance(fitted, FittedLevels)
    return data, fitted.predict_quantiles(data.features)


def test_the_shares_below_are_those_of_the_levels() -> None:
    for level in ("7d", None):
        data, quantiles = quantiles_of(level)
        below = (data.target[:, :, None] <= quantiles).mean(axis=(0, 1))
        np.testing.assert_allclose(below, LEVELS, atol=0.06)


def test_the_interval_is_wide_where_the_spread_is() -> None:
    data, quantiles = quantiles_of(None)
    width = quantiles[:, :, 2] - quantiles[:, :, 0]
    wide = data.features[:, :, 2] > 0.5
    assert width[wide].mean() > 1.2 * width[~wide].mean()


def test_the_median_is_the_forecast_whether_it_is_asked_for_or_not() -> None:
    data, fitted = made(None)
    assert isinstance(fitted, FittedLevels)
    forecast = fitted.predict(data.features)
    np.testing.assert_array_equal(forecast, fitted.predict_quantiles(data.features)[:, :, 1])
    rung = ladder.make({"rung": "quantile_boosting", "level": None, **QUICK})
    again = rung.fit(replace(data, levels=(0.2,)))
    np.testing.assert_array_equal(again.predict(data.features), forecast)


def test_graph_and_native_agree() -> None:
    for level in ("7d", None):
        data, fitted = made(level)
        assert isinstance(fitted, FittedLevels)
        forecast, quantiles = in_graph(fitted, data)
        np.testing.assert_allclose(forecast, fitted.predict(data.features), atol=2e-5)
        np.testing.assert_allclose(quantiles, fitted.predict_quantiles(data.features), atol=2e-5)


def test_without_a_level_trees_learn_the_target_from_the_features_alone() -> None:
    data, plain = made(None, "boosting")
    assert isinstance(plain, PlainTrees)
    rung = ladder.make({"rung": "boosting", "level": None})
    assert rung.blocks(RECIPE) == RECIPE.features
    np.testing.assert_allclose(in_graph(plain, data)[0], plain.predict(data.features), atol=2e-5)
    spread = data.target.max() - data.target.min()
    assert np.ptp(plain.predict(data.features + 1e3)) < spread  # they stay in what they have seen


def test_with_a_level_trees_add_to_it() -> None:
    data, fitted = made("7d", "boosting")
    assert isinstance(fitted, TreesOnLevel)
    rung = ladder.make({"rung": "boosting"})
    assert rung.blocks(RECIPE)[0].model_dump()["feature"] == "rolling"
    expected = data.features[:, :, 0] + fitted.trees.predict(data.features)
    np.testing.assert_allclose(fitted.predict(data.features), expected)


def test_trees_of_a_level_are_those_of_lightgbms_quantile_objective() -> None:
    _, fitted = made(None)
    assert isinstance(fitted, FittedLevels)
    model = fitted.levels[2]
    assert isinstance(model, PlainTrees)
    assert isinstance(model.trees.booster, lightgbm.Booster)
    text = model.trees.booster.model_to_string()
    assert "objective=quantile" in text
    assert "[alpha: 0.9]" in text
