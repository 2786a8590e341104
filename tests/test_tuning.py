"""The search of settings, with trials whose errors and costs are prescribed."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
from pydantic import ValidationError

from frugal_ai import ladder
from frugal_ai.cost.context import Cost
from frugal_ai.errors import PipelineError
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.rung import Rung
from frugal_ai.tuning import tune

SHARES = (4, 2, 1)


@dataclass
class Trials:
    """Answers with an error and a cost, and remembers who asked."""

    error: Callable[[Boosting, int], float]
    asked: list[tuple[Boosting, int]] = field(default_factory=list)

    def __call__(self, rung: Rung, share: int) -> tuple[float, Cost]:
        assert isinstance(rung, Boosting)
        self.asked.append((rung, share))
        cpu_s = 8 / share
        known = {"cpu_s": cpu_s, "co2e_g": cpu_s / 1000}
        return self.error(rung, share), Cost(
            **{f.name: known.get(f.name, 0.0) for f in fields(Cost)}
        )


def boosting(**tuning: Any) -> Boosting:
    rung = ladder.make({"rung": "boosting", "learning_rate": 0.5, "tune": tuning})
    assert isinstance(rung, Boosting)
    return rung


def slow_is_best(rung: Boosting, share: int) -> float:
    return abs(rung.learning_rate - 0.05) + 0.1 * share


def search(trials: Trials, rung: Boosting, seed: int = 0) -> tuple[Boosting, int, float]:
    assert rung.tune is not None
    tuned = tune(rung, rung.tune, SHARES, seed, trials)
    assert isinstance(tuned.rung, Boosting)
    assert tuned.bill is not None
    assert tuned.bill.trials == len(trials.asked)
    assert tuned.bill.cpu_s == pytest.approx(sum(8 / share for _, share in trials.asked))
    assert tuned.bill.co2e_g == pytest.approx(tuned.bill.cpu_s / 1000)
    return tuned.rung, tuned.bill.trials, tuned.bill.cpu_s


def test_all_are_tried_on_a_part_and_a_third_of_them_on_more() -> None:
    trials, rung = Trials(slow_is_best), boosting(trials=18, budget_cpu_s=1e9)
    best, _, _ = search(trials, rung)
    counts = {share: sum(one == share for _, one in trials.asked) for share in SHARES}
    assert counts == {4: 18, 2: 7, 1: 4}  # the declared settings go on, too
    for share in SHARES:
        assert any(one == rung and on == share for one, on in trials.asked)
    assert abs(best.learning_rate - 0.05) == min(
        abs(one.learning_rate - 0.05) for one, _ in trials.asked
    )
    kept = {"trees", "leaves", "learning_rate", "rows_per_leaf", "column_share", "l2"}
    assert best.model_dump(exclude=kept) == rung.model_dump(exclude=kept)
    assert isinstance(best.trees, int)
    assert Boosting.model_validate(best.model_dump()) == best


def test_what_only_a_part_favours_does_not_win() -> None:
    trials = Trials(lambda rung, share: rung.learning_rate * (1 if share > 1 else -1))
    best, _, _ = search(trials, boosting(trials=9, budget_cpu_s=1e9))
    assert best.learning_rate == 0.5  # as declared: the worst on parts, the best on all


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_proposes_the_same_again(seed: int) -> None:
    first, second, other = (Trials(slow_is_best) for _ in range(3))
    search(first, boosting(trials=12, budget_cpu_s=1e9), seed)
    search(second, boosting(trials=12, budget_cpu_s=1e9), seed)
    search(other, boosting(trials=12, budget_cpu_s=1e9), seed + 1)
    assert first.asked == second.asked
    assert first.asked != other.asked


@pytest.mark.parametrize(
    ("limit", "least"),
    [({"budget_cpu_s": 40}, 40), ({"budget_g": 0.04}, 40), ({"budget_g": 1e-9}, 0)],
)
def test_no_trial_is_started_beyond_the_budget(limit: dict[str, float], least: float) -> None:
    trials = Trials(slow_is_best)
    _, _, spent = search(trials, boosting(trials=500, **limit))
    assert least <= spent < least + 8.1  # the dearest trial is of 8 CPU-s
    if least:
        assert {share for _, share in trials.asked} == set(SHARES)  # each level has its part


def test_a_rung_without_settings_to_search_has_no_tune() -> None:
    with pytest.raises(ValidationError, match="Ridge has no settings to search"):
        ladder.make({"rung": "ridge", "tune": {"budget_cpu_s": 1}})
    with pytest.raises(ValidationError, match="expected budget_cpu_s or budget_g, got none"):
        boosting(trials=3)
    with pytest.raises(PipelineError, match="rung: expected one of"):
        ladder.make({"rung": "trees", "tune": {"budget_cpu_s": 1}})


def test_what_is_searched_are_settings_of_the_rung() -> None:
    for name in ladder.names():
        kind = ladder.kind(name)
        for setting, values in kind.search.items():
            assert setting in kind.model_fields
            for end in (values.low, values.high):
                kind.model_validate({setting: int(end) if values.whole else end})
