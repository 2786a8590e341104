import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.backtest.metrics import OriginErrors
from frugal_ai.errors import CostError, DataError, PipelineError
from frugal_ai.selection.candidate import Candidate, check_candidates, ladder_order, tied_costs

COSTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=10)


def scored(mean: float) -> OriginErrors:
    return OriginErrors(np.full((1, 20), mean), np.full((1, 20), 48, dtype=np.int64))


def test_error_is_the_mean_absolute_error() -> None:
    assert Candidate("ridge", scored(3.0), co2e_g=1.0).mae == 3.0


def test_a_rung_without_an_error_is_refused() -> None:
    empty = OriginErrors(np.full((1, 20), np.nan), np.zeros((1, 20), dtype=np.int64))
    for errors in (empty, scored(math.nan), scored(math.inf)):
        with pytest.raises(DataError, match="the error of rung 'ridge'"):
            Candidate("ridge", errors, co2e_g=1.0)


@pytest.mark.parametrize("cost", [math.nan, math.inf, -1.0])
@pytest.mark.parametrize("name", ["co2e_g", "co2e_spread", "energy_wh", "cpu_s", "bytes"])
def test_a_cost_that_is_no_cost_is_refused(name: str, cost: float) -> None:
    costs = {"co2e_g": 1.0, name: cost}
    with pytest.raises(CostError, match=f"{name} of rung 'ridge', got"):
        Candidate("ridge", scored(1.0), **costs)  # type: ignore[arg-type]  # bytes as a float


def test_nothing_and_the_same_name_twice_are_refused() -> None:
    with pytest.raises(PipelineError, match="at least one rung, got none"):
        check_candidates([])
    with pytest.raises(PipelineError, match="'ridge' twice"):
        check_candidates(
            [Candidate("ridge", scored(1.0), 1.0), Candidate("ridge", scored(2.0), 2.0)]
        )


@given(COSTS)
def test_exactly_known_costs_only_tie_when_equal(costs: list[float]) -> None:
    co2e = np.array(costs)
    np.testing.assert_array_equal(tied_costs(co2e, np.zeros(len(costs))), co2e)


@given(COSTS, st.floats(0, 0.5))
def test_tied_costs_keep_the_order_and_stay_within_the_margin(
    costs: list[float], spread: float
) -> None:
    co2e = np.array(costs)
    tied = tied_costs(co2e, np.full(len(costs), spread))
    order = np.argsort(co2e)
    assert (np.diff(tied[order]) >= 0).all()
    assert (tied <= co2e).all()
    assert (co2e <= tied * (1 + math.sqrt(2) * spread) * (1 + 1e-12)).all()
    assert set(tied) <= set(co2e)
    assert tied.min() == co2e.min()


def test_two_costs_tie_within_their_combined_spread() -> None:
    spread = np.array([0.03, 0.04])  # combined 0.05
    assert tied_costs(np.array([100.0, 104.9]), spread).tolist() == [100.0, 100.0]
    assert tied_costs(np.array([105.1, 100.0]), spread).tolist() == [105.1, 100.0]


def test_ties_do_not_chain() -> None:
    tied = tied_costs(np.array([100.0, 109.0, 118.0]), np.full(3, 0.1 / math.sqrt(2)))
    assert tied.tolist() == [100.0, 100.0, 118.0]


def test_ladder_goes_from_cheap_to_dear_and_ties_by_error() -> None:
    candidates = [
        Candidate("dear", scored(1.0), co2e_g=50.0, co2e_spread=0.1),
        Candidate("worse", scored(3.0), co2e_g=10.0, co2e_spread=0.1),
        Candidate("better", scored(2.0), co2e_g=10.5, co2e_spread=0.1),
    ]
    ranked, tied = ladder_order(candidates)
    assert [candidate.rung for candidate in ranked] == ["better", "worse", "dear"]
    assert tied.tolist() == [10.0, 10.0, 50.0]
