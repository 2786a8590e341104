"""Units, capacity and night, in Python and in the graph, with everything beside them."""

from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import product
from typing import Any

import numpy as np
import pytest
import spox
from frugal_edge.session import quiet_session
from numpy.typing import NDArray

from frugal_ai import ladder
from frugal_ai.backtest.evaluate import Evaluation, Task, evaluate, unmeasured
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.split import Split
from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.export.model import check_parity, to_onnx
from frugal_ai.features.blocks.daily import Daily
from frugal_ai.features.blocks.sun import Place
from frugal_ai.features.blocks.unit import Daylight, Unit
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

STEP, HORIZON, DAYS, DAY = 3600, 24, 90, 86400
START = int(datetime(2024, 2, 1, tzinfo=UTC).timestamp())
LYON = Place(latitude=45.75, longitude=4.85)
DARK = Daylight(places=(LYON,))
BEST = Daily(feature="daily", days=(14,), stats=("max",))
LEVELS = (0.1, 0.5, 0.9)
QUICK = {"trees": 15, "leaves": 7, "rows_per_leaf": 20}
SUN: dict[str, Any] = {"places": [LYON.model_dump()]}
RECIPE = Recipe.model_validate(
    {
        "features": [
            {"feature": "sun", **SUN},
            {"feature": "clear_sky_level", "window": ["3d"], **SUN},
            {"feature": "lag", "at": ["1d"]},
            {"feature": "daily", "days": [7]},
            {"feature": "known", "names": ["cloud"], "around": ["3h"], "origin": ["1h"]},
            {"feature": "clock"},
        ],
        "basis": [
            {
                "feature": "product",
                "of": {"feature": "clear_sky_level", "window": ["3d"], **SUN},
                "by": {
                    "feature": "spline",
                    "of": {"feature": "known", "names": ["cloud"]},
                    "knots": [0.5],
                },
            }
        ],
    }
)
SPLIT = Split(
    start=START,
    validation=START + STEP * np.arange(45 * 24, 70 * 24, 12, dtype=np.int64),
    test=START + STEP * np.arange(71 * 24, 89 * 24, 12, dtype=np.int64),
    at=(time(0), time(12)),
    timezone="UTC",
)
EVERYTHING = Physical(unit=True, full=True, daylight=DARK, spread=BEST)
RUNGS = ("basis_ridge", "boosting", "linear_quantiles", "quantile_boosting", "residual_boosting",
         "stacked_boosting")  # fmt: skip


def light(times: NDArray[np.int64]) -> NDArray[np.float64]:
    """A sun of our own: up from 8 to 16 UTC, well within the day of the place."""
    hour = times % DAY / 3600 + 0.5
    return np.maximum(np.sin(np.pi * (hour - 8) / 8), 0) * ((hour > 8) & (hour < 16))


def plant(size: NDArray[np.float64] | float = 1.0) -> Series:
    rng = np.random.default_rng(0)
    times = START + STEP * np.arange(DAYS * 24, dtype=np.int64)
    cloud = rng.uniform(0, 1, len(times))
    sizes = np.broadcast_to(size, times.shape)
    power = 0.8 * light(times) * (1 - 0.7 * cloud) * rng.uniform(0.9, 1.1, len(times)) * sizes
    panel = Panel(
        series_ids=("plant",),
        start=START,
        step_s=STEP,
        values=power[None],
        known_names=("cloud", "size"),
        known=np.stack([cloud, sizes], axis=1)[None],
        past_names=(),
        past=np.zeros((1, len(times), 0)),
        static_names=(),
        static=np.zeros((1, 0)),
        simulated=True,
    )
    return Series(panel, 0, power, HORIZON)


def growing() -> NDArray[np.float64]:
    return np.where(np.arange(DAYS * 24) < 50 * 24, 20.0, 50.0)


def climb(rung: str, one: Series, physical: Physical, limits: Limits | None = None) -> Evaluation:
    grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="UTC",
        holidays=None,
        valid_from=START,
        valid_until=START + 366 * DAY,
        known_names=("cloud", "size"),
        capacity="size" if physical.unit else None,
    )
    kind = ladder.kind(rung)
    made = kind.model_validate({k: v for k, v in QUICK.items() if k in kind.model_fields})
    within = limits or Limits(minimum=0.0)
    task = Task(RECIPE, (one,), (grid,), SPLIT, 0, within, LEVELS, physical)
    return evaluate(made, task, unmeasured)


def columns(physical: Physical, values: dict[str, float], n: int = 2) -> NDArray[np.float32]:
    """One feature, then the columns that are asked for."""
    kinds = {Daily: "spread", Unit: "unit", Daylight: "daylight"}
    row = [9.0] + [values[kinds[type(block)]] for block in physical.blocks]
    return np.tile(np.array(row, np.float32), (n, 3, 1))


def in_graph(physical: Physical, values: NDArray[np.float64], features: Any) -> Any:
    given = spox.argument(spox.Tensor(np.float32, features.shape))
    said = spox.argument(spox.Tensor(np.float32, values.shape))
    outputs = {
        "finished": physical.finish_onnx(said, given, quantiles=values.ndim == 3),
        "seen": physical.without_onnx(given),
    }
    session = quiet_session(
        spox.build({"features": given, "said": said}, outputs).SerializeToString()
    )
    return session.run(list(outputs), {"features": features, "said": values.astype(np.float32)})


@pytest.mark.parametrize(
    ("unit", "daylight", "spread"), list(product([False, True], [None, DARK], [None, BEST]))
)
def test_each_column_does_its_part(unit: bool, daylight: Any, spread: Any) -> None:
    physical = Physical(unit=unit, full=unit, daylight=daylight, spread=spread)
    for size, up in ((5.0, 1.0), (0.5, 0.0)):
        features = columns(physical, {"spread": 0.25, "unit": size, "daylight": up})
        assert physical.without(features).shape == (2, 3, 1)
        for values in (np.full((2, 3), 0.7), np.full((2, 3, 4), 1.3)):
            expected = np.minimum(values, 1.0) * size if unit else values
            expected = expected * up if daylight else expected
            finished, seen = in_graph(physical, values, features)
            np.testing.assert_allclose(physical.finish(values, features), expected, rtol=1e-6)
            np.testing.assert_allclose(finished, expected, rtol=1e-6)
            np.testing.assert_array_equal(seen, physical.without(features))
        observed = np.full((2, 3), 3.0)
        per_unit = observed / size if unit else observed
        np.testing.assert_allclose(physical.per_unit(observed, features), per_unit)
        assert (physical.spread_of(features) == (0.25 if spread else 1.0)).all()


def test_where_the_place_is_unknown_it_is_dark_where_nothing_ever_was() -> None:
    physical = Physical(spread=BEST, dark=True)
    values = np.full((2, 3), 0.7)
    for best, expected in ((0.0, 0.0), (0.25, 0.7)):
        features = columns(physical, {"spread": best})
        assert physical.finish(values, features) == pytest.approx(expected)
        assert in_graph(physical, values, features)[0] == pytest.approx(expected)


def test_idle_is_where_every_forecast_is_zero() -> None:
    values = np.ones((2, 3))
    for physical in (Physical(), EVERYTHING, Physical(spread=BEST, dark=True)):
        for best, up in ((0.25, 1.0), (0.0, 1.0), (0.25, 0.0)):
            features = columns(physical, {"spread": best, "unit": 20.0, "daylight": up})
            idle = physical.idle(features)
            np.testing.assert_array_equal(idle, physical.finish(values, features) == 0.0)


@pytest.mark.parametrize("rung", RUNGS)
def test_graph_and_native_agree_with_unit_daylight_spread_and_clocks(rung: str) -> None:
    one = plant(growing())
    result = climb(rung, one, EVERYTHING)
    model = result.models[0]
    assert model.graph.columns[-4:] == ("daily_max_14d", "unit", "daylight", "slot_of_day")
    exported = to_onnx(model)
    cut = one.windows(SPLIT.test, model.graph.reach)
    mean = float(np.abs(one.panel.values).mean())
    native, drift = result.test_forecasts[0], result.test_drift[0]
    assert drift.any()
    assert check_parity(exported, cut, native, mean, drift) <= 1e-5


@pytest.mark.parametrize("rung", RUNGS)
def test_night_is_exactly_zero_and_nothing_is_above_capacity(rung: str) -> None:
    one = plant(growing())
    result = climb(rung, one, EVERYTHING)
    hours = SPLIT.test[:, None] // STEP % 24 + np.arange(HORIZON)
    night = (hours % 24 >= 21) | (hours % 24 < 3)
    exported = to_onnx(result.models[0])
    got = exported.run(one.windows(SPLIT.test, result.models[0].graph.reach))
    for point, quantiles in (
        (result.test[0], result.test_quantiles[0]),
        (got["forecast"], got["quantiles"]),
    ):
        assert not point[night].any()
        assert not quantiles[night].any()
        assert point[~night].max() > 3
        assert max(point.max(), quantiles.max()) <= 50.0
        assert min(point.min(), quantiles.min()) >= 0.0


def test_night_is_zero_where_the_place_is_unknown() -> None:
    physical = Physical(spread=BEST, dark=True)
    result = climb("linear_quantiles", plant(), physical)
    hours = (SPLIT.test[:, None] // STEP % 24 + np.arange(HORIZON)) % 24
    night = (hours < 8) | (hours >= 16)
    assert not result.test[0][night].any()
    assert not result.test_quantiles[0][night].any()
    assert result.test[0][~night].max() > 0.3


@pytest.mark.parametrize("rung", ["basis_ridge", "boosting", "linear_quantiles"])
def test_twice_the_capacity_forecasts_twice_as_much(rung: str) -> None:
    one, two = (climb(rung, plant(growing() * k), EVERYTHING) for k in (1, 2))
    # a division by a power of two is exact, and so is what follows from it
    np.testing.assert_allclose(two.test, 2 * one.test, rtol=1e-6)
    np.testing.assert_allclose(two.validation, 2 * one.validation, rtol=1e-6)
    np.testing.assert_allclose(two.test_quantiles, 2 * one.test_quantiles, rtol=1e-6)


def test_capacity_that_grows_is_followed_at_once() -> None:
    """After a step of capacity a model per unit is right, one of the series' unit is not."""
    one = plant(growing())
    actual = one.targets(SPLIT.validation)
    after = SPLIT.validation >= START + 50 * DAY
    errors = [
        np.abs(climb("basis_ridge", one, physical).validation[0] - actual)[after].mean()
        for physical in (EVERYTHING, replace(EVERYTHING, unit=False, full=False))
    ]
    assert errors[0] < 0.7 * errors[1]


def test_naive_rungs_repeat_what_was() -> None:
    one = plant(growing())
    result = climb("seasonal_naive", one, EVERYTHING)
    at = one.positions(SPLIT.test)[:, None] + np.arange(HORIZON) - 24
    # what was one or two days before, whichever is known
    expected = one.panel.values[0][np.where(at >= one.positions(SPLIT.test)[:, None], at - 24, at)]
    if result.models[0].graph.reach.history == 24:
        np.testing.assert_allclose(result.test[0], expected, rtol=1e-6)
    assert not {"unit", "daylight"} & set(result.models[0].graph.columns)
    assert result.models[0].graph.reach.known == frozenset()
