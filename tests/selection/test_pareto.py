import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.backtest.metrics import FloatArray
from frugal_ai.errors import DataError
from frugal_ai.selection.pareto import front

GRID = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0])  # ties are common
POINTS = st.lists(st.tuples(GRID, GRID), min_size=0, max_size=12)


def dominates(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def columns(points: list[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    values = np.array(points, dtype=np.float64).reshape(-1, 2)
    return values[:, 0], values[:, 1]


@given(POINTS)
def test_front_is_what_no_other_point_dominates(points: list[tuple[float, float]]) -> None:
    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert front(*columns(points)).tolist() == expected


@given(POINTS.filter(bool), st.data())
def test_front_does_not_depend_on_order_or_scale(
    points: list[tuple[float, float]], data: st.DataObject
) -> None:
    order = np.array(data.draw(st.permutations(range(len(points)))))
    error, co2e = columns(points)
    np.testing.assert_array_equal(front(error[order], co2e[order]), front(error, co2e)[order])
    np.testing.assert_array_equal(front(7 * error + 1, np.exp(co2e)), front(error, co2e))


def test_equal_points_are_both_kept() -> None:
    mask = front(np.array([1.0, 1.0, 2.0]), np.array([3.0, 3.0, 3.0]))
    assert mask.tolist() == [True, True, False]


def test_one_of_two_equal_errors_is_kept_the_cheaper() -> None:
    assert front(np.array([1.0, 1.0]), np.array([3.0, 2.0])).tolist() == [False, True]


def test_points_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(DataError, match="NaN at point 1"):
        front(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    with pytest.raises(DataError, match="NaN at point 0"):
        front(np.array([1.0, 2.0]), np.array([np.nan, 2.0]))
    with pytest.raises(DataError, match=r"\[2\] and \[1\]"):
        front(np.array([1.0, 2.0]), np.array([1.0]))
