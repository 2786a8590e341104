from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from frugal_ai.backtest.compare import resample_origins
from frugal_ai.backtest.metrics import OriginErrors
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.selection.candidate import Candidate
from frugal_ai.selection.choice import Budget, SelectionSettings, choose
from frugal_ai.selection.verdicts import verdicts

RESAMPLES = resample_origins(56, 300, 7, seed=0)
DAYS = 1 + 0.2 * np.random.default_rng(0).random(56)
DAYS /= DAYS.mean()
DEFAULT = SelectionSettings()


def rung(name: str, level: float, co2e_g: float, noise: float = 0.0, **costs: Any) -> Candidate:
    own = np.random.default_rng(len(name)).normal(size=56)
    means = level * DAYS + noise * (own - own.mean())
    errors = OriginErrors(means[None], np.full((1, 56), 48, dtype=np.int64))
    return Candidate(name, errors, co2e_g, **costs)


def chosen(candidates: list[Candidate], rule: SelectionSettings = DEFAULT) -> str:
    return choose(candidates, rule, RESAMPLES, "MW").rung


LADDER = [
    rung("persistence", 100, 1.0),
    rung("ridge", 80, 5.0),
    rung("noisy_boosting", 79.5, 50.0, noise=20),
]


def test_the_least_co2e_wins_among_the_rungs_that_are_not_significantly_worse() -> None:
    choice = choose(LADDER, DEFAULT, RESAMPLES, "MW")
    assert choice.rung == "ridge"
    first, second = choice.reason.split("). The next")
    assert first == (
        "ridge (MAE 80 MW, 5 gCO2e) costs the least of the rungs of the Pareto front that are not "
        "significantly worse than the one with the smallest error, noisy_boosting (MAE 79.5 MW"
    )
    assert second.startswith(
        " rung, noisy_boosting, would have cost 50 gCO2e (10 times) and brought 0.6 % less error "
        "(95 % interval -"
    )
    assert second.endswith(" %, not proven).")


def test_a_dear_rung_wins_when_all_cheaper_ones_are_significantly_worse() -> None:
    choice = choose(
        [rung("persistence", 100, 0.001), rung("boosting", 50, 5000)], DEFAULT, RESAMPLES, "MW"
    )
    assert choice.rung == "boosting"
    assert choice.reason == (
        "boosting (MAE 50 MW, 5 kgCO2e) has the smallest error; every rung of the Pareto front "
        "that costs less is significantly worse. No rung has a smaller error."
    )


def test_a_gain_that_was_proven_but_tolerated_is_told() -> None:
    choice = choose(
        [rung("ridge", 101, 1), rung("boosting", 100, 3)],
        SelectionSettings(tolerance=0.02),
        RESAMPLES,
        "MW",
    )
    assert choice.rung == "ridge"
    assert "not significantly worse by more than 2.0 % than" in choice.reason
    assert choice.reason.endswith(
        "The next rung, boosting, would have cost 3 gCO2e (3 times) and brought 1.0 % less error "
        "(95 % interval 1.0 to 1.0 %)."
    )


@pytest.mark.parametrize(
    ("tolerance", "expected"), [(0.0, "best"), (0.09, "best"), (0.11, "middle"), (0.6, "worst")]
)
def test_tolerance_accepts_that_much_more_error(tolerance: float, expected: str) -> None:
    candidates = [rung("worst", 150, 1), rung("middle", 110, 2), rung("best", 100, 3)]
    assert chosen(candidates, SelectionSettings(tolerance=tolerance)) == expected


def test_a_single_rung_is_chosen() -> None:
    choice = choose([rung("ridge", 80, 0.0)], DEFAULT, RESAMPLES)
    assert choice.rung == "ridge"
    assert choice.reason == (
        "ridge (MAE 80, 0 gCO2e) has the smallest error and no rung costs clearly less. "
        "No rung has a smaller error."
    )


def test_of_equal_rungs_the_cheapest_is_chosen_and_of_equal_costs_the_first() -> None:
    assert chosen([rung("a", 80, 2), rung("bb", 80, 1), rung("ccc", 80, 3)]) == "bb"
    assert chosen([rung("a", 80, 1), rung("bb", 80, 1), rung("ccc", 80, 1)]) == "a"


def test_of_costs_too_close_to_tell_apart_the_smaller_error_is_chosen() -> None:
    for spread, expected in [(0.0, "cheap"), (0.1, "better")]:
        candidates = [
            rung("cheap", 100, 10, noise=40, co2e_spread=spread),
            rung("better", 99, 11, noise=40, co2e_spread=spread),
        ]
        assert chosen(candidates) == expected


def test_a_rung_that_a_cheaper_and_better_one_dominates_is_never_chosen() -> None:
    steady = rung("steady", 103, 1.0)  # surely worse than the best
    wild = rung("wild_one", 105, 2.0, noise=60)  # too noisy to tell
    best = rung("best", 100, 10.0)
    assert chosen([wild, best]) == "wild_one"
    assert chosen([steady, wild, best]) == "best"


def test_with_too_few_origins_the_cheapest_is_chosen_and_it_is_said() -> None:
    count = np.full((1, 5), 48, dtype=np.int64)
    candidates = [
        Candidate("cheap", OriginErrors(np.full((1, 5), 9.0), count), 1.0),
        Candidate("dear", OriginErrors(np.full((1, 5), 1.0), count), 2.0),
    ]
    choice = choose(candidates, DEFAULT, resample_origins(5, 100, 2, seed=0), "MW")
    assert choice.rung == "cheap"
    assert "too few origins to tell that others are better" in choice.reason
    assert choice.reason.endswith("(too few origins to tell how sure that is).")


COSTS = [
    rung("a", 100, 1, energy_wh=10.0, cpu_s=0.1, bytes=1000),
    rung("bb", 80, 5, energy_wh=50.0, cpu_s=0.5, bytes=30_000),
    rung("ccc", 70, 9, energy_wh=90.0, cpu_s=9.0, bytes=20_000),
]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"co2e_g": 5}, "bb"),
        ({"co2e_g": 4.9}, "a"),
        ({"energy_wh": 100}, "ccc"),
        ({"cpu_s": 1}, "bb"),
        ({"bytes": 20_000}, "ccc"),
        ({"bytes": 20_000, "cpu_s": 1}, "a"),
    ],
)
def test_the_smallest_error_within_the_budget_wins(limits: dict[str, float], expected: str) -> None:
    assert chosen(COSTS, SelectionSettings(budget=Budget(**limits))) == expected


def test_the_budgets_sentence_says_what_lies_beyond() -> None:
    rule = SelectionSettings(budget=Budget(co2e_g=6, bytes=40_000))
    assert choose(COSTS, rule, RESAMPLES, "MW").reason == (
        "bb (MAE 80 MW, 5 gCO2e) has the smallest error within the budget of 6 gCO2e and 40,000 "
        "bytes. The next rung, ccc, would have cost 9 gCO2e (1.8 times) and brought 12.5 % less "
        "error (95 % interval 12.5 to 12.5 %)."
    )


def test_a_budget_that_no_rung_keeps_is_refused_with_the_least_that_is_needed() -> None:
    rule = SelectionSettings(budget=Budget(co2e_g=0.5, bytes=500))
    with pytest.raises(
        PipelineError,
        match=r"within 0.5 gCO2e and 500 bytes, got none; .* needed is 1 gCO2e and 1,000 bytes",
    ):
        choose(COSTS, rule, RESAMPLES)


def test_a_budget_on_a_cost_that_is_not_known_is_refused() -> None:
    rule = SelectionSettings(budget=Budget(bytes=500))
    with pytest.raises(PipelineError, match="bytes is limited, but that of rung 'ridge'"):
        choose([rung("ridge", 80, 1)], rule, RESAMPLES)


@pytest.mark.parametrize(("price", "expected"), [(0.0, "a"), (0.1, "a"), (0.3, "bb"), (1, "ccc")])
def test_the_least_sum_of_co2e_and_priced_error_wins(price: float, expected: str) -> None:
    assert chosen(COSTS, SelectionSettings(price=price)) == expected


def test_the_prices_sentence_says_the_sum() -> None:
    reason = choose(COSTS, SelectionSettings(price=0.3), RESAMPLES, "MW").reason
    assert reason.startswith(
        "bb (MAE 80 MW, 5 gCO2e) costs the least with error priced at 0.3 gCO2e per MW of MAE: "
        "29 gCO2e in all. The next rung, ccc, would have cost 9 gCO2e (1.8 times)"
    )


def test_the_next_rung_is_the_cheapest_with_a_smaller_error() -> None:
    reason = choose(COSTS, SelectionSettings(price=0.0), RESAMPLES, "MW").reason
    assert "The next rung, bb, would have cost 5 gCO2e (5 times)" in reason


POINTS = st.lists(
    st.tuples(st.floats(0.1, 100), st.sampled_from([70.0, 75.0, 79.0, 80.0, 81.0, 100.0])),
    min_size=1,
    max_size=5,
)
RULES = st.sampled_from(
    [
        DEFAULT,
        SelectionSettings(tolerance=0.05),
        SelectionSettings(budget=Budget(co2e_g=60)),
        SelectionSettings(price=0.5),
    ]
)
SPREADS = st.sampled_from([0.0, 0.03, 0.1, 0.3])


@settings(max_examples=300, deadline=None)
@given(POINTS, RULES, st.lists(SPREADS, min_size=6, max_size=6), st.floats(0.0, 1.0))
def test_making_the_chosen_rung_cheaper_never_unchooses_it(
    points: list[tuple[float, float]],
    rule: SelectionSettings,
    spreads: list[float],
    factor: float,
) -> None:
    candidates = [
        rung("x" * (index + 1), error, cost, noise=3.0, co2e_spread=spreads[index])
        for index, (cost, error) in enumerate([*points, (50.0, 90.0)])  # one keeps the budget
    ]
    name = chosen(candidates, rule)
    cheaper = [
        replace(candidate, co2e_g=factor * candidate.co2e_g)
        if candidate.rung == name
        else candidate
        for candidate in candidates
    ]
    assert chosen(cheaper, rule) == name


@settings(max_examples=100, deadline=None)
@given(POINTS, st.lists(SPREADS, min_size=6, max_size=6), st.randoms(use_true_random=False))
def test_the_choice_is_never_dominated_and_does_not_depend_on_order(
    points: list[tuple[float, float]], spreads: list[float], shuffler: Any
) -> None:
    candidates = [
        rung("x" * (index + 1), error + index / 100, cost, noise=3.0, co2e_spread=spreads[index])
        for index, (cost, error) in enumerate(points)
    ]
    name = chosen(candidates)
    judged = {verdict.rung: verdict.verdict for verdict in verdicts(candidates, RESAMPLES)}
    assert judged[name] != "dominated"
    shuffled = list(candidates)
    shuffler.shuffle(shuffled)
    assert chosen(shuffled) == name


@settings(max_examples=50, deadline=None)
@given(POINTS, st.floats(0, 0.2), st.floats(0, 0.2))
def test_more_tolerance_never_costs_more(
    points: list[tuple[float, float]], one: float, other: float
) -> None:
    candidates = [
        rung("x" * (index + 1), error, cost, noise=3.0)
        for index, (cost, error) in enumerate(points)
    ]
    costs = {candidate.rung: candidate.co2e_g for candidate in candidates}
    strict, loose = (
        costs[chosen(candidates, SelectionSettings(tolerance=tolerance))]
        for tolerance in sorted([one, other])
    )
    assert loose <= strict


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": -0.1},
        {"level": 0.9},
        {"resamples": 10},
        {"price": -1.0},
        {"budget": {}},
        {"budget": {"co2e_g": 0}},
        {"budget": {"co2e_kg": 1}},
        {"budget": {"co2e_g": 1}, "price": 1.0},
        {"tolerence": 0.1},
    ],
)
def test_settings_that_make_no_rule_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SelectionSettings.model_validate(wrong)


def test_settings_are_read_as_a_pipeline_writes_them() -> None:
    rule = SelectionSettings.model_validate({"budget": {"bytes": 400_000}})
    assert rule.budget is not None
    assert rule.budget.limits == {"bytes": 400_000}
    assert (rule.tolerance, rule.resamples, rule.price) == (0.0, 2000, None)


def test_rungs_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(PipelineError, match="got none"):
        choose([], DEFAULT, RESAMPLES)
    with pytest.raises(PipelineError, match="'ridge' twice"):
        choose([rung("ridge", 1, 1), rung("ridge", 2, 2)], DEFAULT, RESAMPLES)
    others = OriginErrors(np.ones((1, 55)), np.full((1, 55), 48, dtype=np.int64))
    with pytest.raises(DataError, match="same targets"):
        choose([rung("ridge", 80, 5), Candidate("b", others, 9.0)], DEFAULT, RESAMPLES)


def test_a_budget_and_a_price_weigh_the_emissions_that_are_reported() -> None:
    small = replace(rung("small", 2.0, 1.0), reported_g=23.0)
    large = replace(rung("large", 1.0, 9.0), reported_g=40.0)
    budget = SelectionSettings.model_validate({"budget": {"co2e_g": 30}})
    chosen = choose([small, large], budget, RESAMPLES)
    assert chosen.rung == "small"
    assert "23 gCO2e" in chosen.reason
    none = SelectionSettings.model_validate({"budget": {"co2e_g": 4}})
    with pytest.raises(PipelineError, match="needed is 23 gCO2e, by small"):
        choose([small, large], none, RESAMPLES)
