"""One model for several series, each in units of its own."""

from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pytest

from frugal_ai import ladder
from frugal_ai.backtest.evaluate import Evaluation, Task, evaluate, unmeasured
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.split import Split
from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.export.model import check_parity, to_onnx
from frugal_ai.features.grid import SERIES, local_grid
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Fitted

STEP, HORIZON, DAYS, DAY = 3600, 24, 80, 86400
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
LEVELS = (0.2, 0.8)
QUICK = {"trees": 15, "leaves": 7, "rows_per_leaf": 20}
NO_SERIES = Recipe.model_validate(
    {
        "features": [
            {"feature": "lag", "at": ["1d", "7d"]},
            {"feature": "last", "steps": 2},
            {"feature": "rolling", "window": ["7d"]},
            {"feature": "fourier", "period": "day"},
        ]
    }
)
WITH_SERIES = Recipe.model_validate(
    {"features": [*NO_SERIES.features, {"feature": "static", "names": [SERIES]}]}
)
SPLIT = Split(
    start=START,
    validation=START + DAY * np.arange(50, 64, dtype=np.int64),
    test=START + DAY * np.arange(66, 78, dtype=np.int64),
    at=(time(0),),
    timezone="UTC",
)
PANEL_RUNGS = ("boosting", "ridge", "basis_ridge", "linear_quantiles", "quantile_boosting")


def series(factors: tuple[float, ...], *, own: bool = False) -> tuple[Series, ...]:
    """Series that differ by factors, or by noise of their own as well."""
    hour = np.arange(DAYS * 24)

    def one(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        rng = np.random.default_rng(seed)
        return 10 + 4 * np.sin(2 * np.pi * hour / 24) + rng.normal(0, 1, len(hour)).cumsum() * 0.02

    values = np.stack([k * one(i if own else 0) for i, k in enumerate(factors)])
    count = len(factors)
    panel = Panel(
        series_ids=tuple(f"s{i}" for i in range(count)),
        start=START,
        step_s=STEP,
        values=values,
        known_names=(),
        known=np.zeros((count, len(hour), 0)),
        past_names=(),
        past=np.zeros((count, len(hour), 0)),
        static_names=(),
        static=np.zeros((count, 0)),
        simulated=True,
    )
    return tuple(Series(panel, i, values[i], HORIZON) for i in range(count))


def climb(rung: str, each: tuple[Series, ...], scope: str = "panel", recipe: Recipe = NO_SERIES
) -> Evaluation:  # fmt: skip
    grids = tuple(
        local_grid(
            step_s=STEP, horizon=HORIZON, timezone="UTC", holidays=None, valid_from=START,
            valid_until=START + 366 * DAY, static={SERIES: float(i)},
        )
        for i in range(len(each))
    )  # fmt: skip
    kind = ladder.kind(rung)
    settings = {k: v for k, v in QUICK.items() if k in kind.model_fields}
    made = kind.model_validate({"scope": scope, **settings})
    task = Task(recipe, each, grids, SPLIT, 0, levels=LEVELS)
    return evaluate(made, task, unmeasured)


def fitted_of(result: Evaluation) -> list[Fitted]:
    return [model.forecaster.fitted for model in result.models]


@pytest.mark.parametrize("rung", PANEL_RUNGS)
def test_one_model_is_in_a_bundle_of_each_series(rung: str) -> None:
    each = series((1.0, 5.0, 20.0), own=True)
    result = climb(rung, each, recipe=WITH_SERIES)
    one, *others = fitted_of(result)
    assert all(other is one for other in others)
    assert len(result.models) == 3
    for i, (model, seen) in enumerate(zip(result.models, each, strict=True)):
        exported = to_onnx(model)
        cut = seen.windows(SPLIT.test, model.graph.reach)
        mean = float(np.abs(seen.panel.values[i]).mean())
        native, drift = result.test_forecasts[i], result.test_drift[i]
        assert check_parity(exported, cut, native, mean, drift) <= 1e-5


def test_one_model_each_learns_from_its_own_series() -> None:
    each = series((1.0, 5.0), own=True)
    one, other = fitted_of(climb("ridge", each, scope="series"))
    assert one is not other


@pytest.mark.parametrize("rung", PANEL_RUNGS)
def test_series_that_differ_by_a_factor_get_forecasts_that_differ_by_it(rung: str) -> None:
    result = climb(rung, series((1.0, 8.0, 0.25)))
    for i, factor in ((1, 8.0), (2, 0.25)):  # powers of two: division is exact
        for values in (result.validation, result.test, result.test_quantiles):
            np.testing.assert_allclose(values[i], factor * values[0], rtol=1e-5)
    assert np.isfinite(result.test).all()


def test_any_factor_will_do() -> None:
    result = climb("ridge", series((1.0, 1234.5)))
    np.testing.assert_allclose(result.test[1], 1234.5 * result.test[0], rtol=1e-4)


def test_the_scale_is_the_mean_before_the_first_validation_origin() -> None:
    each = series((3.0, 7.0), own=True)
    result = climb("ridge", each)
    for i, model in enumerate(result.models):
        before = each[i].panel.values[i, : 50 * 24]
        assert model.graph.grid.scale == pytest.approx(float(np.abs(before).mean()), rel=1e-12)
        assert model.graph.columns[-1] == "unit"
    naive = climb("seasonal_naive", each)
    assert [model.graph.grid.scale for model in naive.models] == [1.0, 1.0]


def test_the_future_changes_neither_scale_nor_forecast() -> None:
    each = series((3.0, 7.0), own=True)
    values = each[0].panel.values.copy()
    first = each[0].panel.index(int(SPLIT.validation[0]))
    values[:, first:] = 1e6
    panel = replace(each[0].panel, values=values)
    poisoned = tuple(Series(panel, i, values[i], HORIZON) for i in range(2))
    clean, dirty = climb("ridge", each), climb("ridge", poisoned)
    for one, other in zip(clean.models, dirty.models, strict=True):
        assert one.graph.grid.scale == other.graph.grid.scale
    np.testing.assert_array_equal(clean.validation[:, 0], dirty.validation[:, 0])


def test_a_series_of_zeros_is_scaled_by_one() -> None:
    each = series((1.0, 0.0))
    result = climb("ridge", each)
    assert result.models[1].graph.grid.scale == 1.0
    assert np.abs(result.test[1]).max() < np.abs(result.test[0]).max()


def test_a_rung_of_a_panel_says_so_in_its_name() -> None:
    assert ladder.make({"rung": "ridge", "scope": "panel"}).name == "ridge_panel"
    assert ladder.make({"rung": "ridge", "scope": "panel", "label": "all"}).name == "all"
    assert ladder.make("ridge").name == "ridge"


def test_a_unit_of_its_own_needs_no_scale() -> None:
    each = series((1.0, 2.0))
    base = Task(NO_SERIES, each, (), SPLIT, 0, physical=Physical(unit=True))
    assert base.seen_by(ladder.make({"rung": "ridge", "scope": "panel"})) is base
