import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.cost.ledger import Size
from frugal_ai.plan.scaling import Point, exponent, scaled


def point(rows: int, features: int, cpu_s: float) -> Point:
    return Point(Size(rows, features), cpu_s, 2 * cpu_s)


@given(st.floats(0.1, 1.9), st.lists(st.integers(1, 500), min_size=2, max_size=6, unique=True))
def test_exponent_of_a_law_is_found(power: float, features: list[int]) -> None:
    points = [point(100 * f, f, 3e-6 * 100 * f * f**power) for f in features]
    assert exponent(points) == pytest.approx(power, rel=1e-6)


def test_one_number_of_features_says_nothing() -> None:
    assert exponent([point(10, 7, 1), point(20, 7, 2), point(30, 9, 0)]) is None


@pytest.mark.parametrize(("last", "power"), [(0.01, 0.0), (1e6, 2.0)])
def test_exponent_stays_within_what_can_be(last: float, power: float) -> None:
    assert exponent([point(10, 10, 1), point(10, 20, last)]) == power


def test_scaled_by_hand() -> None:
    found = scaled([point(100, 10, 1.0), point(100, 10, 3.0)], Size(300, 20), 1.5)
    assert found.cpu_s == pytest.approx(2.0 * 3 * 2**1.5)
    assert found.wall_s == pytest.approx(2 * found.cpu_s)
