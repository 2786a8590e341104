"""Linear quantile regression on the recipe's features and their basis."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from frugal_ai.ladder._design import Design
from frugal_ai.ladder._levels import MEDIAN, FittedLevels
from frugal_ai.ladder._linear import (
    COMMON,
    Moments,
    Solver,
    linear_model,
    moments,
    recency,
    tune_alpha,
)
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.rung import Fitted, Float32Array, FloatArray, Rows
from frugal_ai.pinball import smoothed_slope

_FIRM = 2.0  # times the ridge's penalty: a row says less of a quantile than of a mean
_ROWS_PER_WEIGHT = 7  # in the window around a quantile
_SHARE = 0.4  # of the rows in the window, at most
_TO_BEYOND = 3.0  # rows in the window to rows beyond the quantile, at most
_NARROWEST = 1e-6  # window, in typical sizes of a residual
_BOUNDS = (0.3, 10.0)  # of the curvature, times that of the start


class LinearQuantiles(BasisRidge):
    """Median and quantiles by linear regression; the median is the forecast.

    The pinball loss, smoothed, is minimized by ``iterations`` quasi-Newton steps, all of them with
    one Hessian for all levels. Penalties are in proportion to those that the ridge would take.
    """

    rung: Literal["linear_quantiles"] = "linear_quantiles"  # type: ignore[assignment]  # narrower
    iterations: Annotated[int, Ge(1)] = 6
    summary: ClassVar[str] = "median and quantiles, linear on features, splines and interactions"

    def fit(self, rows: Rows) -> Fitted:
        return self.fit_levels(rows)

    def fit_levels(self, rows: Rows) -> FittedLevels:
        """Learn the median and the levels that the rows ask for."""
        age = recency(rows, self.half_life)
        sums = moments(rows, self.folds, age)
        alpha = tune_alpha(sums, (*self.alphas, COMMON))
        levels = sorted({MEDIAN, *rows.levels})
        steps = _Steps.of(sums, alpha, age.T)
        solved = steps.quantiles(np.array(levels, np.float32), self.iterations)
        models = {level: linear_model(sums, solved[:, q]) for q, level in enumerate(levels)}
        return FittedLevels(models[MEDIAN], tuple(models[level] for level in rows.levels))


@dataclass(frozen=True)
class _Steps:
    """What the steps towards all quantiles have in common.

    A row's part in the Hessian is the density of its residual at the quantile (Koenker and Bassett
    1978, Econometrica 46). That is about one over the size of the residual that a ridge leaves,
    half its own, half the typical one of the lead time, whatever the level.
    """

    design: Design
    solver: Solver
    weight: Float32Array  # [H, 1, B], recency over size, 0 where nothing was observed
    size: Float32Array  # [H, 1, B] [unit of the target]
    typical: Float32Array  # [H, 1, 1] [unit of the target]

    @classmethod
    def of(cls, sums: Moments, alpha: float, age: FloatArray) -> "_Steps":
        """Learn the sizes from a ridge and weigh the rows by them and by their age [H, B]."""
        design, seen = sums.design, sums.design.seen
        left = np.abs(design.y - design.fitted(sums.solve(alpha)[:, None])[:, 0]) * seen
        typical = left.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1)
        # PV leaves next to nothing at night, and nights shall not decide
        least = np.median(left[seen]) or left.mean() or 1.0
        typical = np.maximum(typical, least).astype(np.float32)
        size = typical + left
        weight = age * seen / size
        weight /= weight[seen].mean()
        solver = sums.again(weight).system().solver(_FIRM * alpha)
        one = (slice(None), None)
        return cls(design, solver, weight.astype(np.float32)[one], size[one], typical[one])

    def quantiles(self, levels: Float32Array, iterations: int) -> FloatArray:
        """Solve for the weights of Q levels, [H, Q, 1+F]."""
        y, level = self.design.y[:, None], levels[:, None]
        weights = self._solve(y)
        fitted = self.design.fitted(weights)
        fitted = fitted + self._offsets(y - fitted, levels)
        width, first = self._window(y - fitted, levels)
        slope = smoothed_slope(y - fitted, level, width * self.typical)
        density = first
        for _ in range(iterations):
            before = fitted, slope
            weights = self._solve(fitted + self.size / density * slope)
            fitted = self.design.fitted(weights)
            slope = smoothed_slope(y - fitted, level, width * self.typical)
            found = self._curvature(fitted - before[0], before[1] - slope)
            density = np.clip(found, _BOUNDS[0] * first, _BOUNDS[1] * first)
        return weights

    def _curvature(self, move: Float32Array, bent: Float32Array) -> Float32Array:
        """Return how fast the slope fell along the last step, against the Hessian, [Q, 1].

        Of Barzilai and Borwein (1988, IMA Journal of Numerical Analysis 8), the longer step.
        """
        moved = self.weight * move
        fell = np.einsum("hqb,hqb->q", moved, self.size * bent)
        length = np.einsum("hqb,hqb->q", moved, move)
        return np.asarray((fell / np.maximum(length, np.finfo(np.float32).tiny))[:, None])

    def _solve(self, target: Float32Array) -> FloatArray:
        """Fit targets above the level, [H, Q, B]."""
        cross = (self.weight * target) @ self.design.x
        weights = self.solver.solve(cross.astype(np.float64))
        weights[:, :, 0] += self.design.level[:, None]
        return weights

    def _offsets(self, residual: Float32Array, levels: Float32Array) -> Float32Array:
        """Return where the levels' shares of the residuals of a lead time lie, [H, Q, 1]."""
        seen = self.design.seen
        ascending = np.sort(np.where(seen, residual[:, 0], np.nan), axis=1)
        place = np.maximum(seen.sum(axis=1, keepdims=True) - 1, 0) * levels
        found = np.take_along_axis(ascending, np.rint(place).astype(np.int64), axis=1)
        return np.asarray(np.nan_to_num(found)[:, :, None])

    def _window(
        self, residual: Float32Array, levels: Float32Array
    ) -> tuple[Float32Array, Float32Array]:
        """Return half the window around each quantile, and the density in it.

        The more weights there are to a row, the wider it is (He, Pan, Tan and Zhou 2023, Journal of
        Econometrics 232).

        Returns
        -------
        tuple
            Half-widths in typical sizes, and rows per size over all rows, [Q, 1] each.
        """
        origins, weights = self.design.x.shape[1:]
        near = min(_ROWS_PER_WEIGHT * weights / origins, _SHARE)
        share = np.minimum(near, _TO_BEYOND * np.minimum(levels, 1 - levels))
        off = np.abs(residual) / self.typical
        seen = self.design.seen
        found = [np.quantile(off[:, q][seen], part) for q, part in enumerate(share)]
        width = np.maximum(found, _NARROWEST).astype(np.float32)
        relative = (self.typical / self.size)[:, 0][seen].mean()
        return width[:, None], (share / (2 * width * relative))[:, None]


RUNG = LinearQuantiles
