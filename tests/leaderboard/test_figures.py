import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.leaderboard.figures import described, figure, is_measured, method, percent
from frugal_ai.report import RungRow


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        (0.0, "0"),
        (4567.8, "4,568"),
        (1234567.0, "1,234,567"),
        (803.18, "803"),
        (12.345, "12.3"),
        (1.0, "1.00"),
        (0.012345, "0.0123"),
        (0.00012345, "0.000123"),
        (0.00001234, "1.23e-05"),
        (-0.5, "-0.500"),
    ],
)
def test_figures_have_three_significant_digits(value: float | None, expected: str) -> None:
    assert figure(value) == expected


@given(st.floats(1e-12, 1e9), st.integers(3, 6))
def test_a_figure_reads_back_to_its_digits(value: float, digits: int) -> None:
    back = float(figure(value, digits).replace(",", ""))
    assert math.isclose(back, value, rel_tol=0.5 * 10.0 ** (1 - digits) * 1.001)


@pytest.mark.parametrize(
    ("share", "interval", "expected"),
    [
        (None, None, "-"),
        (None, (0.1, 0.2), "-"),
        (0.4996, None, "50.0"),
        (0.4996, (0.474, 0.525), "50.0 [47.4, 52.5]"),
        (-1.62, (-1.71, -1.534), "-162 [-171, -153]"),
        (0.0143, (-0.006, 0.033), "1.43 [-0.60, 3.30]"),
        (0.0, (-0.01, 0.01), "0.0 [-1.0, 1.0]"),
        (0.00001, None, "0.00"),
    ],
)
def test_shares_are_percentages_with_one_precision(
    share: float | None, interval: tuple[float, float] | None, expected: str
) -> None:
    assert percent(share, interval) == expected


def test_a_method_says_whether_it_measured() -> None:
    assert is_measured("rapl")
    assert not is_measured("cpu_time_model")
    assert not is_measured("guess")
    assert method("cpu_time_model") == "estimated: CPU-time model"
    assert method("guess") == "guess"


def test_circumstances_name_all_that_figures_depend_on(rows: list[RungRow]) -> None:
    shared = rows[0].circumstances
    assert described(shared, 2.5) == (
        "SIMULATED DATA; 364 test origins; Example CPU 2.1 GHz, 4 W/thread assumed; "
        "estimated: CPU-time model (within a factor of 2.5, the same for all rungs); "
        "FRA 56.04 gCO2e/kWh; PUE 1"
    )
    measured = shared.model_copy(update={"simulated": False, "energy_method": "wall"})
    assert described(measured).startswith("364 test origins; ")
    assert "factor" not in described(measured)
