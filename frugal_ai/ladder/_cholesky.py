"""Systems of equations whose matrices are symmetric and positive definite, many at a time."""

from dataclasses import dataclass

import numpy as np

from frugal_ai.errors import RungError
from frugal_ai.ladder.rung import FloatArray

_ROUNDING = (1e-6, 1e-5, 1e-4, 1e-3)  # of the diagonal; sums in single precision need a little


@dataclass(frozen=True)
class Factors:
    """Cholesky factors of H matrices: about half the work of solving without them.

    Where rounding keeps a matrix from being positive definite, its diagonal is raised a little.
    """

    lower: tuple[FloatArray, ...]  # H of [N, N]

    @classmethod
    def of(cls, matrices: FloatArray) -> "Factors":
        """Factorize matrices [H, N, N], in place.

        Raises
        ------
        RungError
            If one of them is far from positive definite.
        """
        return cls(tuple(_factorized(matrix) for matrix in matrices))

    def solve(self, right: FloatArray) -> FloatArray:
        """Solve for Q right-hand sides of each matrix, [H, Q, N]."""
        from scipy.linalg.lapack import dpotrs

        pairs = zip(self.lower, right, strict=True)
        return np.stack([dpotrs(factor, one.T, lower=1)[0].T for factor, one in pairs])


def _factorized(matrix: FloatArray) -> FloatArray:
    from scipy.linalg.lapack import dpotrf

    diagonal = matrix.diagonal().copy()
    factor, failed = dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    for part in _ROUNDING:
        if not failed:
            break
        below = np.tril(matrix, -1)  # the attempt before has left this side as it was
        again = below + below.T + np.diag(diagonal + part * diagonal.max())
        factor, failed = dpotrf(again, lower=1, clean=0)
    if failed:
        raise RungError(
            "expected features that can be told apart, got equations without a solution"
        )
    return np.asarray(factor)
