"""Linear quantile regression on the recipe's features and their basis."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from frugal_ai.ladder._levels import MEDIAN, FittedLevels
from frugal_ai.ladder._linear import (
    COMMON,
    Moments,
    apply,
    linear_model,
    moments,
    recency,
    tune_alpha,
)
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.rung import Fitted, FloatArray, Rows
from frugal_ai.pinball import reweighted


class LinearQuantiles(BasisRidge):
    """Median and quantiles by linear regression; the median is the forecast.

    The pinball loss is minimized by repeated weighted least squares. Penalties are those that the
    ridge would take.
    """

    rung: Literal["linear_quantiles"] = "linear_quantiles"  # type: ignore[assignment]  # narrower
    iterations: Annotated[int, Ge(1)] = 6
    summary: ClassVar[str] = "median and quantiles, linear on features, splines and interactions"

    def fit(self, rows: Rows) -> Fitted:
        age = recency(rows, self.half_life)
        sums = moments(rows, self.folds, age)
        alpha = tune_alpha(rows, sums, (*self.alphas, COMMON))
        start = sums.solve(alpha)
        middle = self._reweighted(rows, sums, start, age, alpha, MEDIAN)
        solved = {MEDIAN: middle} | {
            level: self._reweighted(rows, sums, middle, age, alpha, level)
            for level in rows.levels
            if level != MEDIAN
        }
        models = {level: linear_model(sums, weights) for level, weights in solved.items()}
        return FittedLevels(models[MEDIAN], tuple(models[level] for level in rows.levels))

    def _reweighted(
        self,
        rows: Rows,
        sums: Moments,
        weights: FloatArray,
        age: FloatArray,
        alpha: float,
        level: float,
    ) -> FloatArray:
        """Move weights [H, 1+F] from a neighbouring quantile to that of a level."""
        weights = weights.copy()
        # start where a share of the residuals at each lead time lies below, as it shall in the end
        ahead = rows.target - apply(sums, weights, rows.features)
        weights[:, 0] += np.nanquantile(ahead, level, axis=0)
        for _ in range(self.iterations):
            residual = rows.target - apply(sums, weights, rows.features)
            weights = moments(rows, 1, age * reweighted(residual, level)).solve(alpha)
        return weights


RUNG = LinearQuantiles
