"""Which rungs are run, from what a trial let expect."""

import math

import pytest
from pydantic import ValidationError

from frugal_ai.backtest.compare import Interval
from frugal_ai.selection.climbing import Climbing, Expectation


def expected(value: float, low: float, high: float) -> Expectation:
    gain = Interval(value, low, high)
    return Expectation("trees", gain, over="ridge", origins=46, cpu_s=3.9, co2e_g=6.1e-5)


@pytest.mark.parametrize(
    ("gain", "runs"),
    [
        ((-0.031, -0.060, -0.004), False),
        ((-0.031, -0.060, 0.0099), False),
        ((-0.031, -0.060, 0.01), True),  # a part of the history favours the simpler rung
        ((0.2, 0.1, 0.3), True),
        ((-0.9, -math.inf, math.inf), True),  # too few origins to tell
    ],
)
def test_a_rung_is_run_where_its_gain_may_reach_the_tolerance(
    gain: tuple[float, float, float], *, runs: bool
) -> None:
    assert expected(*gain).worth_it(Climbing()) is runs


def test_the_tolerance_is_declared() -> None:
    doubtful = expected(0.0, -0.02, 0.02)
    assert doubtful.worth_it(Climbing(tolerance=0.02))
    assert not doubtful.worth_it(Climbing(tolerance=0.03))
    with pytest.raises(ValidationError):
        Climbing(tolerance=-0.01)
    with pytest.raises(ValidationError):
        Climbing(part=1)


def test_a_short_history_is_not_thinned_until_nothing_is_left() -> None:
    found = {n: Climbing(part=4).part_of(n) for n in (0, 119, 239, 240, 360, 480, 5000)}
    assert found == {0: 1, 119: 1, 239: 1, 240: 2, 360: 3, 480: 4, 5000: 4}


def test_what_was_expected_is_said_with_its_cost() -> None:
    assert str(expected(-0.031, -0.060, -0.004)) == (
        "expected gain -3.1 % [-6.0, -0.4] over ridge on 46 origins; "
        "would have cost up to about 3.9 CPU-s, 61 µgCO2e"
    )
