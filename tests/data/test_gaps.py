import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from frugal_ai.data.gaps import bridge, fill_history, runs
from frugal_ai.data.panel import FloatArray
from frugal_ai.data.policy import Fill

NAN = np.nan
SERIES = arrays(
    np.float64,
    st.integers(1, 40),
    elements=st.one_of(st.just(NAN), st.floats(-100.0, 100.0, width=32)),
)


def oracle(row: list[float], method: str, max_gap: int, first_origin: int) -> list[float]:
    """The rule in plain Python, one value after the other."""
    out = list(row)
    for i, value in enumerate(row):
        if not math.isnan(value) or method == "none":
            continue
        left = max((j for j in range(i) if not math.isnan(row[j])), default=None)
        after = [j for j in range(i, len(row)) if not math.isnan(row[j])]
        end = after[0] if after else len(row)
        if left is None or end - left - 1 > max_gap:
            continue
        out[i] = row[left]
        if method == "linear" and i < first_origin and end < min(first_origin, len(row)):
            out[i] = row[left] + (row[end] - row[left]) * (i - left) / (end - left)
    return out


@given(
    row=SERIES,
    method=st.sampled_from(["linear", "previous", "none"]),
    max_gap=st.integers(0, 10),
    first_origin=st.integers(0, 45),
)
def test_filling_follows_the_rule(
    row: FloatArray, method: Fill, max_gap: int, first_origin: int
) -> None:
    filled = fill_history(row[None], method, max_gap, first_origin)
    expected = oracle(row.tolist(), method, max_gap, first_origin)
    np.testing.assert_allclose(filled[0], expected, rtol=1e-12, atol=1e-9)


@given(row=SERIES, cut=st.integers(0, 40), first=st.integers(0, 40))
def test_what_comes_after_an_origin_does_not_change_what_it_sees(
    row: FloatArray, cut: int, first: int
) -> None:
    """Within one gap length, forecasts made at `cut` >= the first origin see the same history."""
    cut = max(cut, first)
    poisoned = row.copy()
    later = np.flatnonzero(~np.isnan(row))
    poisoned[later[later >= cut]] = 1e9  # the gaps stay where they are, the values do not
    clean = fill_history(row[None], "linear", 100, first)[0, :cut]
    np.testing.assert_array_equal(
        clean, fill_history(poisoned[None], "linear", 100, first)[0, :cut]
    )


def test_the_input_is_left_alone() -> None:
    row = np.array([[1.0, NAN, 3.0]])
    fill_history(row, "linear", 3, 3)
    assert np.isnan(row[0, 1])


def test_a_gap_across_the_first_origin_looks_at_neither_side() -> None:
    row = np.array([[1.0, 2.0, NAN, NAN, 9.0, NAN, 5.0]])
    np.testing.assert_array_equal(
        fill_history(row, "linear", 5, 3), [[1.0, 2.0, 2.0, 2.0, 9.0, 9.0, 5.0]]
    )


@pytest.mark.parametrize(
    ("given_row", "expected"),
    [
        ([NAN, 1.0, NAN, 3.0, NAN], [NAN, 1.0, 2.0, 3.0, NAN]),
        ([1.0, NAN, NAN, NAN, 3.0], [1.0, NAN, NAN, NAN, 3.0]),
        ([NAN, NAN], [NAN, NAN]),
        ([1.0, 2.0], [1.0, 2.0]),
    ],
)
def test_a_known_covariate_is_interpolated_inside_only(
    given_row: list[float], expected: list[float]
) -> None:
    np.testing.assert_array_equal(bridge(np.array(given_row), 2), expected)


def test_runs() -> None:
    found = runs(np.array([True, True, False, True, False, True, True, True]))
    assert found.starts.tolist() == [0, 3, 5]
    assert found.lengths.tolist() == [2, 1, 3]
    assert found.longest() == (5, 3)
    assert runs(np.zeros(3, dtype=bool)).longest() == (0, 0)
    assert runs(np.zeros(0, dtype=bool)).longest() == (0, 0)
