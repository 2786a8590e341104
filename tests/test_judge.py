"""What rungs are worth, on forecasts that are made up and costs that are prescribed."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frugal_ai import ladder
from frugal_ai.accounts import RungCost
from frugal_ai.backtest.compare import resample_origins
from frugal_ai.backtest.evaluate import Evaluation
from frugal_ai.backtest.split import Split
from frugal_ai.backtest.windows import Series
from frugal_ai.cost.context import Cost
from frugal_ai.data.panel import FloatArray, IntArray, Panel
from frugal_ai.data.quality import inspect
from frugal_ai.errors import DataError
from frugal_ai.export.model import OnnxModel
from frugal_ai.features.grid import local_grid
from frugal_ai.judge import Climbed, judge, seasonal_naive
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared

WriteSmall = Callable[..., Path]

DAY, STEPS, DAYS = 86400, 24, 70
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
SPLIT = Split(
    start=START,
    validation=START + DAY * np.arange(20, 38),
    test=START + DAY * np.arange(40, 64),
    at=(time(0),),
    timezone="UTC",
)
HOLES = (100, 101, 25 * 24 + 3, 45 * 24 + 7, 45 * 24 + 8, 50 * 24)  # [h], in all periods


def observed(weekly: float, daily: float) -> FloatArray:
    """Two series [2, T] with a weekly and a daily drift of their shape."""
    rng = np.random.default_rng(1)
    hour = np.arange(DAYS * STEPS)
    week = rng.normal(0, weekly, 7)[hour // 24 % 7]
    level = daily * rng.normal(size=(2, DAYS)).cumsum(axis=1)[:, hour // 24]
    wave = 10 * np.sin(2 * np.pi * hour / 24)
    values: FloatArray = 50 + wave + week + level + rng.normal(size=(2, len(hour)))
    values[1] *= 3
    values[0, list(HOLES)] = np.nan
    return values


def prepared(values: FloatArray | None = None, split: Split = SPLIT) -> Prepared:
    given = observed(weekly=0, daily=2) if values is None else values
    panel = Panel(
        series_ids=("a", "b"), start=START, step_s=3600, values=given,
        known_names=(), known=np.empty((*given.shape, 0)),
        past_names=(), past=np.empty((*given.shape, 0)),
        static_names=(), static=np.empty((2, 0)), simulated=False,
    )  # fmt: skip
    grid = local_grid(
        step_s=3600, horizon=STEPS, timezone="UTC", holidays=None,
        valid_from=START, valid_until=START + 2 * DAYS * DAY,
    )  # fmt: skip
    filled = np.where(np.isnan(given), 40.0, given)
    series = tuple(Series(panel, i, filled[i], STEPS) for i in range(2))
    return Prepared(panel, inspect(panel), series, (grid, grid), split)


def targets(ready: Prepared, origins: IntArray) -> FloatArray:
    """Observations [S, O, H], cut by hand."""
    first = (origins - START) // 3600
    return np.stack([ready.panel.values[:, at : at + STEPS] for at in first], axis=1)


def forecasts(ready: Prepared, origins: IntArray, size: float, seed: int = 0) -> FloatArray:
    """Forecasts whose errors have a given size [S, O, H]."""
    actual = targets(ready, origins)
    noise = np.random.default_rng(seed).normal(0, size, actual.shape)
    return np.where(np.isnan(actual), 1e9, actual + noise)  # nothing is scored there


def amounts(**given: float) -> Cost:
    return Cost(**{field.name: given.get(field.name, 0.0) for field in fields(Cost)})


def climbed(
    name: str,
    validation: FloatArray,
    test: FloatArray,
    grams: float = 1.0,
    grams_per_1000: float = 0.0,
    idle_grams: float = 0.0,
    n_bytes: int = 1000,
    **training: float,
) -> Climbed:
    cost = RungCost(
        fit_cpu_s=0.1,
        training=amounts(co2e_dynamic_g=grams, co2e_g=grams + idle_grams, **training),
        per_1000=amounts(co2e_dynamic_g=grams_per_1000, co2e_g=grams_per_1000),
        latency_us=10.0,
        spread=0.01,
    )
    exported = tuple(OnnxModel(b"x" * n_bytes, ("history",), 17, None, 8) for _ in range(2))
    rung = ladder.make({"rung": "persistence", "label": name})
    quantiles = test[..., None] + [-1.0, 0.0, 1.0]
    found = Evaluation(validation, test, quantiles, np.zeros(quantiles.shape, np.float32), ())
    return Climbed(rung, found, exported, cost, ended=START)


def rung(ready: Prepared, name: str, size: float, grams: float = 1.0, **given: Any) -> Climbed:
    """A rung with errors of one size in validation and, by default, the same in the test."""
    split, seed = ready.split, len(name)
    return climbed(
        name,
        forecasts(ready, split.validation, size, seed),
        forecasts(ready, split.test, given.pop("test_size", size), seed + 100),
        grams,
        **given,
    )


@pytest.fixture
def declare(write_small: WriteSmall) -> Callable[..., Pipeline]:
    return lambda **changes: read_pipeline(write_small(step="1h", **changes))


def naive_by_hand(ready: Prepared, origins: IntArray, season: int) -> FloatArray:
    """What was observed, or filled, one season [steps] before each target [S, O, H]."""
    filled = np.stack([series.filled for series in ready.series])
    first = (origins - START) // 3600
    return np.stack([filled[:, at - season : at - season + STEPS] for at in first], axis=1)


def mae_by_hand(forecast: FloatArray, actual: FloatArray) -> float:
    """MAE of each series, averaged over the two."""
    return float(np.mean([np.nanmean(np.abs(forecast[i] - actual[i])) for i in range(2)]))


def test_scores_are_what_a_hand_computes_on_the_test_origins(
    declare: Callable[..., Pipeline],
) -> None:
    ready = prepared()
    ladder_ = [rung(ready, "rough", 8.0, 1.0), rung(ready, "fine", 2.0, 5.0)]
    judgement = judge(ladder_, declare(), ready)
    actual, seen = targets(ready, SPLIT.test), targets(ready, SPLIT.validation)
    assert [one.climbed for one in judgement.rungs] == ladder_
    for one in judgement.rungs:
        found = one.climbed.evaluation
        error = found.test - actual
        scale = [
            np.nanmean(np.abs(row[24:] - row[:-24])) for row in ready.panel.values[:, : 40 * 24]
        ]
        mae = [np.nanmean(np.abs(error[i])) for i in range(2)]
        expected = {
            "mae": np.mean(mae),
            "rmse": np.mean([np.sqrt(np.nanmean(error[i] ** 2)) for i in range(2)]),
            "nmae": np.mean([mae[i] / np.nanmean(np.abs(actual[i])) for i in range(2)]),
            "mase": np.mean([mae[i] / scale[i] for i in range(2)]),
            "bias": np.mean([np.nanmean(error[i]) for i in range(2)]),
        }
        for name, value in expected.items():
            assert getattr(one.score, name) == pytest.approx(value, rel=1e-12), name
        assert one.mae.value == pytest.approx(np.mean(mae), rel=1e-12)
        assert one.mae.low < one.mae.value < one.mae.high
        assert {"rmse", "nmae", "mase"} <= one.intervals.keys()
        for name, interval in one.intervals.items():
            scored = one.score if name in expected else one.quantiles
            assert interval.value == pytest.approx(getattr(scored, name), rel=1e-12), name
            assert interval.low < interval.value < interval.high, name
        validation = mae_by_hand(found.validation, seen)
        assert one.validation_mae == pytest.approx(validation, rel=1e-12)


def test_the_denominator_of_nmae_is_the_declared_one(declare: Callable[..., Pipeline]) -> None:
    ready = prepared()
    one = [rung(ready, "fine", 2.0)]
    mae = mae_by_hand(one[0].evaluation.test, targets(ready, SPLIT.test))
    capacity = judge(one, declare(metrics={"nmae": "capacity", "capacity": 200}), ready)
    assert capacity.rungs[0].score.nmae == pytest.approx(mae / 200)


@pytest.mark.parametrize(
    ("weekly", "daily", "better"), [(0.0, 2.0, 24), (20.0, 0.1, 168)], ids=["day", "week"]
)
def test_skill_is_against_the_better_seasonal_naive_although_none_is_on_the_ladder(
    declare: Callable[..., Pipeline], weekly: float, daily: float, better: int
) -> None:
    ready = prepared(observed(weekly, daily))
    actual = targets(ready, SPLIT.test)
    naive = {s: mae_by_hand(naive_by_hand(ready, SPLIT.test, s), actual) for s in (24, 168)}
    assert min(naive, key=lambda season: naive[season]) == better
    judgement = judge([rung(ready, "fine", 2.0)], declare(), ready)
    one = judgement.rungs[0]
    expected = 1 - one.score.mae / naive[better]
    assert one.skill.value == pytest.approx(expected, rel=1e-5)  # inputs of the graph are float32
    assert one.skill.low < one.skill.value < one.skill.high <= 1
    errors = seasonal_naive(ready, SPLIT.test, actual).errors
    by_hand = np.abs(naive_by_hand(ready, SPLIT.test, better) - actual)
    np.testing.assert_allclose(errors.total, np.nansum(by_hand, axis=2), rtol=1e-5)
    np.testing.assert_array_equal(errors.count, (~np.isnan(actual)).sum(axis=2))


def test_the_better_seasonal_naive_itself_has_no_skill_and_the_other_less(
    declare: Callable[..., Pipeline],
) -> None:
    ready = prepared()
    both = [
        climbed(
            str(season),
            naive_by_hand(ready, SPLIT.validation, season),
            naive_by_hand(ready, SPLIT.test, season),
        )
        for season in (24, 168)
    ]
    day, week = judge(both, declare(), ready).rungs
    assert day.skill.value == pytest.approx(0, abs=1e-6)
    assert week.skill.value < -0.2


def shuffled(one: Climbed, which: str, seed: int) -> Climbed:
    """The same rung with other forecasts in one of the periods."""
    old = getattr(one.evaluation, which)
    size = np.random.default_rng(seed).uniform(0.1, 50)
    other = old + np.random.default_rng(seed + 1).normal(0, size, old.shape)
    return replace(one, evaluation=replace(one.evaluation, **{which: other}))


LADDER = (("rough", 8.0, 1.0), ("fine", 4.0, 5.0), ("dear", 4.5, 50.0), ("best", 1.0, 90.0))


def climb_all(ready: Prepared) -> list[Climbed]:
    return [rung(ready, name, size, grams) for name, size, grams in LADDER]


def test_what_happens_in_the_test_never_changes_choice_and_verdicts(
    declare: Callable[..., Pipeline],
) -> None:
    ready, pipeline = prepared(), declare()
    all_rungs = climb_all(ready)
    first = judge(all_rungs, pipeline, ready)
    verdicts = [one.verdict.verdict for one in first.rungs]
    assert first.chosen_name == "best"
    assert verdicts == ["baseline", "worth it", "dominated", "worth it"]
    for seed in range(8):
        other = [shuffled(one, "test", 10 * seed + i) for i, one in enumerate(all_rungs)]
        again = judge(other, pipeline, ready)
        assert (again.chosen_name, again.reason) == (first.chosen_name, first.reason)
        for one, before in zip(again.rungs, first.rungs, strict=True):
            assert (one.verdict, one.validation_mae) == (before.verdict, before.validation_mae)
            assert one.score.mae != before.score.mae
    values = ready.panel.values.copy()
    values[:, 40 * 24 :] *= -7  # nor do observations from the first test origin on
    again = judge(all_rungs, pipeline, prepared(values))
    assert (again.chosen_name, again.reason) == (first.chosen_name, first.reason)
    assert [one.verdict for one in again.rungs] == [one.verdict for one in first.rungs]


def test_a_rung_that_is_best_in_the_test_alone_is_not_chosen(
    declare: Callable[..., Pipeline],
) -> None:
    ready = prepared()
    rungs = [
        rung(ready, "steady", 2.0, 1.0, test_size=9.0),
        rung(ready, "lucky", 8.0, 1.2, test_size=0.1),
    ]
    judgement = judge(rungs, declare(), ready)
    assert judgement.chosen_name == "steady"
    assert judgement.chosen is judgement.rungs[0]
    assert judgement.chosen.score.mae > judgement.rungs[1].score.mae
    assert [one.verdict.verdict for one in judgement.rungs] == ["baseline", "dominated"]


def test_what_happened_in_validation_never_changes_the_figures_of_the_test(
    declare: Callable[..., Pipeline],
) -> None:
    ready, pipeline = prepared(), declare()
    all_rungs = climb_all(ready)
    first = judge(all_rungs, pipeline, ready)
    changed = [shuffled(one, "validation", i) for i, one in enumerate(all_rungs)]
    again = judge(changed, pipeline, ready)
    for one, before in zip(again.rungs, first.rungs, strict=True):
        assert (one.score, one.mae, one.skill) == (before.score, before.mae, before.skill)
        assert one.validation_mae != before.validation_mae


def test_the_choice_weighs_training_and_the_forecasts_of_a_life_of_all_series(
    declare: Callable[..., Pipeline],
) -> None:
    ready = prepared()
    rungs = [
        rung(ready, "quick_to_run", 2.0, grams=100.0, grams_per_1000=1.0),
        rung(ready, "quick_to_fit", 2.0, grams=1.0, grams_per_1000=50.0),
    ]
    rungs[1] = replace(rungs[1], evaluation=rungs[0].evaluation)  # equal but for the costs
    # two series: what is saved in use makes up for the fit from 1010 forecasts of each on
    for forecasts_, expected in ((800, "quick_to_fit"), (1500, "quick_to_run")):
        pipeline = declare(cost={"country": "FRA", "forecasts": forecasts_})
        assert judge(rungs, pipeline, ready).chosen_name == expected


def test_rungs_are_ranked_without_what_the_machine_draws_anyway(
    declare: Callable[..., Pipeline],
) -> None:
    ready = prepared()
    rungs = [
        rung(ready, "waited", 4.0, grams=1.0, idle_grams=20.0),
        rung(ready, "busy", 2.0, grams=2.0),
    ]
    verdicts = [one.verdict.verdict for one in judge(rungs, declare(), ready).rungs]
    assert verdicts == ["baseline", "worth it"]


def test_costs_closer_than_their_spread_are_equal(declare: Callable[..., Pipeline]) -> None:
    ready = prepared()
    rungs = [rung(ready, "rough", 4.0, 1.0), rung(ready, "fine", 2.0, 1.2)]
    assert judge(rungs, declare(), ready).rungs[0].verdict.verdict == "baseline"
    noisy = [replace(one, cost=replace(one.cost, spread=0.3)) for one in rungs]
    verdicts = [one.verdict.verdict for one in judge(noisy, declare(), ready).rungs]
    assert verdicts == ["dominated", "baseline"]


@pytest.mark.parametrize(
    ("limit", "value"), [("bytes", 4000), ("energy_wh", 4), ("cpu_s", 4), ("co2e_g", 4)]
)
def test_a_budget_limits_what_the_rung_cost(
    declare: Callable[..., Pipeline], limit: str, value: float
) -> None:
    ready = prepared()
    small: dict[str, Any] = {"n_bytes": 1000, "energy_wh": 3.0, "cpu_s": 3.0}
    large: dict[str, Any] = {"n_bytes": 2001, "energy_wh": 5.0, "cpu_s": 5.0}  # twice 2001 bytes
    rungs = [rung(ready, "small", 8.0, 3.0, **small), rung(ready, "large", 1.0, 5.0, **large)]
    assert [one.bytes for one in rungs] == [2000, 4002]
    assert judge(rungs, declare(), ready).chosen_name == "large"
    pipeline = declare(selection={"budget": {limit: value}})
    assert judge(rungs, pipeline, ready).chosen_name == "small"
    none = judge(rungs, declare(selection={"budget": {limit: 1}}), ready)
    assert none.chosen is None
    assert "budget: expected a rung within" in none.reason
    assert len(none.rungs) == len(rungs)  # the figures are there all the same


def test_the_declared_unit_and_seed_are_used(declare: Callable[..., Pipeline]) -> None:
    ready = prepared()
    rungs = climb_all(ready)
    first = judge(rungs, declare(), ready)
    assert " MW, " in first.reason
    assert " GW, " in judge(rungs, declare(unit="GW"), ready).reason
    seeded = judge(rungs, declare(seed=5), ready)
    for one, other in zip(first.rungs, seeded.rungs, strict=True):
        assert other.mae != one.mae
        assert other.score == one.score
    assert judge(rungs, declare(), ready).rungs == first.rungs


def test_blocks_of_the_bootstrap_hold_a_week_of_origins(
    declare: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, int]] = []

    def spy(n_origins: int, n_resamples: int, block: int, seed: int) -> Any:
        drawn.append((n_origins, block))
        return resample_origins(n_origins, n_resamples, block, seed)

    monkeypatch.setattr("frugal_ai.backtest.compare.resample_origins", spy)
    for split in (SPLIT, replace(SPLIT, validation=SPLIT.validation[::3], test=SPLIT.test[:1])):
        judge([rung(prepared(split=split), "fine", 2.0)], declare(), prepared(split=split))
    assert drawn == [(18, 7), (24, 7), (6, 2), (1, 1)]


def test_with_few_origins_no_interval_is_claimed(declare: Callable[..., Pipeline]) -> None:
    split = replace(SPLIT, validation=SPLIT.validation[:5], test=SPLIT.test[:5])
    ready = prepared(split=split)
    judgement = judge(
        [rung(ready, "rough", 8.0, 1.0), rung(ready, "fine", 1.0, 5.0)], declare(), ready
    )
    assert judgement.chosen_name == "rough"
    assert "too few origins" in judgement.reason
    assert not any(one.mae.known or one.skill.known for one in judgement.rungs)


def test_data_that_repeat_themselves_allow_no_scaled_error(
    declare: Callable[..., Pipeline],
) -> None:
    values = np.tile(10 + np.arange(24.0), (2, DAYS))
    ready = prepared(values)
    with pytest.raises(DataError, match=r"MASE: expected a denominator above 0"):
        judge([rung(ready, "fine", 2.0)], declare(), ready)
    values[:, : 40 * 24] += np.random.default_rng(0).normal(size=(2, 40 * 24))
    ready = prepared(values, replace(SPLIT, test=SPLIT.test[8:]))
    with pytest.raises(DataError, match=r"skill: expected a baseline with an error above 0"):
        judge([rung(ready, "fine", 2.0)], declare(), ready)


def test_a_forecast_that_is_none_is_refused(declare: Callable[..., Pipeline]) -> None:
    ready = prepared()
    one = rung(ready, "fine", 2.0)
    one.evaluation.test[1, 3, 7] = np.nan
    with pytest.raises(DataError, match=r"a finite forecast.* series 1, origin 3, step 7"):
        judge([one], declare(), ready)
