import pytest

from frugal_ai.backtest.compare import Interval
from frugal_ai.selection import _wording as wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00001234, "1.23e-05"),
        (0.012345, "0.0123"),
        (1.5, "1.5"),
        (612.4, "612"),
        (999.7, "1,000"),
        (12345.6, "12,346"),
    ],
)
def test_figures_have_three_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert wording.figure(value) == text


@pytest.mark.parametrize(
    ("grams", "text"),
    [
        (0, "0 gCO2e"),
        (2e-9, "0.002 µgCO2e"),
        (3.21e-5, "32.1 µgCO2e"),
        (0.0421, "42.1 mgCO2e"),
        (0.99999, "1 gCO2e"),
        (999.9, "1 kgCO2e"),
        (12_345, "12.3 kgCO2e"),
        (3e6, "3 tCO2e"),
    ],
)
def test_emissions_take_the_unit_that_suits_them(grams: float, text: str) -> None:
    assert wording.mass(grams) == text


def test_intervals_say_whether_a_gain_is_proven() -> None:
    proven = wording.interval(Interval(0.05, 0.01, 0.08), 0.95)
    assert proven == "95 % interval 1.0 to 8.0 %"
    open_ = wording.interval(Interval(0.05, -0.01, 0.08), 0.9)
    assert open_ == "90 % interval -1.0 to 8.0 %, not proven"
