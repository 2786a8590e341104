"""Systems of equations by Cholesky factors against numpy."""

import numpy as np
import pytest

from frugal_ai.errors import RungError
from frugal_ai.ladder._cholesky import Factors
from frugal_ai.ladder.rung import FloatArray


def definite(columns: FloatArray) -> FloatArray:
    """Products of columns [H, B, N], [H, N, N]."""
    return np.asarray(columns.swapaxes(1, 2) @ columns)


def test_solutions_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    matrices, right = definite(rng.normal(size=(4, 30, 7))), rng.normal(size=(4, 3, 7))
    expected = np.linalg.solve(matrices, right.swapaxes(1, 2)).swapaxes(1, 2)
    np.testing.assert_allclose(Factors.of(matrices).solve(right), expected, rtol=1e-9)


def test_what_rounding_has_spoiled_is_solved_nearly() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(2, 50, 4))
    columns[:, :, 3] = columns[:, :, 2]
    matrices = definite(columns)
    matrices[1, 3, 3] *= 1 - 1e-7  # as if summed in single precision
    right = (columns.swapaxes(1, 2) @ np.ones((50, 1))).swapaxes(1, 2)
    whole = matrices.copy()
    solved = Factors.of(matrices).solve(right)
    np.testing.assert_allclose(solved @ whole, right, atol=1e-3)
    assert np.abs(solved).max() < 1.0  # neither of the two runs away


def test_what_is_far_from_definite_is_refused() -> None:
    with pytest.raises(RungError, match="expected features that can be told apart"):
        Factors.of(np.diag([1.0, -1.0])[None])
