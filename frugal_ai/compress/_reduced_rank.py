"""Ridges of all lead times, cut to the few directions along which their weights differ.

Reduced-rank regression (Izenman 1975, Journal of Multivariate Analysis 5) of a ridge for each lead
time: the singular vectors of the weights, weighed by what the features vary together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_ai.ladder._linear import Moments
from frugal_ai.ladder.rung import FloatArray

_JITTER = 1e-4  # of a variance of 1; columns that repeat each other have no inverse


@dataclass(frozen=True)
class ReducedRank:
    """Linear units on standardized features: one common to all lead times, and R others.

    The forecast is ``bias_h + sum_r out_hr * sum_f z_f * directions_fr``. Every unit has about the
    variance 1.
    """

    directions: FloatArray  # [K, 1 + R]
    out: FloatArray  # [H, 1 + R] [unit of the target]
    bias: FloatArray  # [H]


def reduced_rank(sums: Moments, columns: NDArray[np.int64], alpha: float, rank: int) -> ReducedRank:
    """Solve ridges and cut them to a rank.

    Parameters
    ----------
    columns
        Of the features [K] that are used.
    alpha
        Penalty per row; see `Moments.solve`.
    rank
        R, at most the number of lead times and of columns.
    """
    system, solved = sums.system(), sums.solve(alpha)
    common = system.common[columns]  # [K]
    own = solved[:, 1:][:, columns] - common  # [H, K]
    together = sums.gram.sum(axis=(0, 1))  # [1+F, 1+F]
    variance = together[1:, 1:][np.ix_(columns, columns)] / together[0, 0]
    root = np.linalg.cholesky(variance + _JITTER * np.eye(len(columns)))  # [K, K]
    left, values, right = np.linalg.svd(own @ root, full_matrices=False)
    rank = min(rank, len(values))
    size = float(np.linalg.norm(common @ root)) or 1.0
    directions = np.linalg.solve(root.T, right[:rank].T)  # [K, R]
    out = left[:, :rank] * values[:rank]  # [H, R]
    weights = common + out @ directions.T  # [H, K]
    bias = system.mean_y - np.einsum("hk,hk->h", system.mean_x[:, columns], weights)
    bias[system.count < 1] = 0.0  # lead times that nobody has observed
    return ReducedRank(
        directions=np.concatenate([common[:, None] / size, directions], axis=1),
        out=np.concatenate([np.full((len(out), 1), size), out], axis=1),
        bias=bias,
    )
