"""Linear models with weights for each lead time, drawn towards weights common to all of them."""

import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.data.calendar import WEEK_S
from frugal_ai.errors import RungError
from frugal_ai.features.frame import const
from frugal_ai.ladder._cholesky import Factors
from frugal_ai.ladder._design import ALL, Design
from frugal_ai.ladder.rung import BoolArray, Float32Array, FloatArray, IntArray, Rows

COMMON = math.inf
"""The penalty under which all lead times have the same weights."""

_LEAST_ORIGINS = 28  # four weeks: below that a weekday is seen less than four times
_LEVELS = 32767  # of the 16-bit weights
_NO_CANCELLATION = 6.0  # float32 keeps sums over so many times the result to 1e-6 of it
_LEADS_TO_TUNE = 4  # the penalty is one for all lead times; some of them are enough to find it
_NOTHING = 1e-9  # below the weight of any row


@dataclass(frozen=True)
class LinearModel:
    """Weights for standardized features, kept as 16-bit integers.

    The forecast is ``sum_f (x_f - mean_f) * scale_f * weights_hf + bias_h``; ``scale`` holds the
    step of the integers, so that they cost no operation of their own.
    """

    mean: Float32Array  # [F]
    scale: Float32Array  # [F]
    weights: NDArray[np.int16]  # [H, F], or [1, F] where they are common to all lead times
    bias: Float32Array  # [H]

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        scaled = (features.astype(np.float64) - self.mean) * self.scale
        weights = np.broadcast_to(self.weights.astype(np.float64), features.shape[1:])
        return np.asarray(np.einsum("bhf,hf->bh", scaled, weights) + self.bias)

    def to_onnx(self, features: Var) -> Var:
        """Append the model to a graph, float32 [B, H]."""
        return op.squeeze(_side_by_side([self], features), const([1], np.int64))

    @property
    def reads(self) -> BoolArray:
        """Which features have a weight [F]."""
        return np.asarray((self.weights != 0).any(axis=0) & (self.scale != 0))

    def kept(self, columns: IntArray) -> "LinearModel":
        """Return the same model on some features [K], which hold all that have a weight."""
        mean, scale = self.mean[columns], self.scale[columns]
        return LinearModel(mean, scale, self.weights[:, columns], self.bias)

    def settled(self, column: int, values: FloatArray) -> "LinearModel":
        """Return a model without a weight for a feature that is the same for every origin, [H]."""
        scaled = (values - self.mean[column]) * float(self.scale[column])
        bias = self.bias + scaled * self.weights[:, column]
        weights = self.weights.copy()
        weights[:, column] = 0
        return LinearModel(self.mean, self.scale, weights, bias.astype(np.float32))

    @property
    def shift(self) -> FloatArray | None:
        """What the means take off the forecast [H]; None where float32 would feel it in the sum."""
        weights = (self.weights * self.scale).astype(np.float64)  # as a graph rounds them
        terms = weights * self.mean.astype(np.float64)  # [H, F] or [1, F]
        small = np.abs(terms).sum(axis=1).max() <= _NO_CANCELLATION * np.abs(self.bias).max()
        return np.asarray(terms.sum(axis=1)) if small else None


def models_to_onnx(models: Sequence[LinearModel], features: Var) -> Var:
    """Append models of the same features to a graph, float32 [B, H, Q]."""
    parts = [
        _side_by_side([model for model, _ in group], features)
        for _, group in itertools.groupby(
            ((model, (model.mean.tobytes(), len(model.weights))) for model in models),
            key=operator.itemgetter(1),
        )
    ]
    together = parts[0] if len(parts) == 1 else op.concat(parts, axis=1)
    return op.transpose(together, perm=[0, 2, 1])


def _side_by_side(models: Sequence[LinearModel], features: Var) -> Var:
    """Append models with the same means and a like number of weights, float32 [B, Q, H]."""
    rows = op.transpose(features, perm=[0, 2, 1])  # [B, F, H], as features are computed
    weights = np.stack([model.weights for model in models])  # [Q, H, F] or [Q, 1, F]
    scale = np.stack([model.scale for model in models])  # [Q, F]
    bias = np.stack([model.bias for model in models])  # [Q, H]
    shifts = [shift for model in models if (shift := model.shift) is not None]
    if len(shifts) == len(models):
        bias = bias - np.stack(shifts)
    else:
        shape = const([1, bias.shape[1]], np.int64)  # of the same shape it is subtracted faster
        mean = const(models[0].mean[:, None], np.float32)
        rows = op.sub(rows, op.expand(mean, shape))
    # a runtime computes what follows from weights alone when it opens the graph
    if weights.shape[1] == 1:
        of_all = op.cast(const(weights[:, 0], np.int16), to=np.float32)
        total = op.matmul(op.mul(of_all, const(scale, np.float32)), rows)
        return op.add(total, const(bias, np.float32))
    several = len(models) > 1
    of_each = weights.transpose(0, 2, 1) if several else weights[0].T  # [Q, F, H] or [F, H]
    step = scale[:, :, None] if several else scale[0][:, None]
    of_rows = op.mul(op.cast(const(of_each, np.int16), to=np.float32), const(step, np.float32))
    axis = const([1], np.int64)
    terms = op.mul(op.unsqueeze(rows, axis) if several else rows, of_rows)
    # a product with ones sums over rows several times faster than a reduction
    total = op.matmul(const(np.ones((1, weights.shape[2])), np.float32), terms)
    if several:
        total = op.squeeze(total, const([2], np.int64))
    return op.add(total, const(bias, np.float32))


@dataclass(frozen=True)
class Moments:
    """Second moments of standardized features and target, by fold and lead time.

    The first column is the intercept. Sums over folds, or over all folds but one, are moments
    again, so that cross-validation costs no further pass over the data.
    """

    design: Design
    gram: FloatArray  # [folds, H, 1+F, 1+F]
    cross: FloatArray  # [folds, H, 1+F]
    fold: NDArray[np.int64]  # [B]

    @property
    def mean(self) -> FloatArray:
        """Of the features, [F]."""
        return self.design.mean

    @property
    def deviation(self) -> FloatArray:
        """Of the features, [F], infinite where one is constant."""
        return self.design.deviation

    @cached_property
    def _total(self) -> FloatArray:
        return np.asarray(self.gram.sum(axis=0))  # [H, 1+F, 1+F]

    @cached_property
    def _pooled(self) -> FloatArray:
        return np.asarray(self.gram.sum(axis=1))  # [folds, 1+F, 1+F]

    def again(self, weight: FloatArray) -> "Moments":
        """Accumulate the moments of the same rows, weighted by [H, B], without folds."""
        fold = np.zeros_like(self.fold)
        return Moments(self.design, *self.design.products(weight, [ALL]), fold)

    def solve(self, alpha: float, without: int | None = None, leads: slice = ALL) -> FloatArray:
        """Solve all folds or all but one for weights [H, 1+F]; see `System.solve`."""
        return self.system(without, leads).solve(alpha)

    def system(self, without: int | None = None, leads: slice = ALL) -> "System":
        """Set up the normal equations of some lead times, from all folds or all but one."""
        kept = np.arange(len(self.gram)) != without
        edge, cross = self.gram[kept, :, 0].sum(axis=0), self.cross[kept].sum(axis=0)  # [H, 1+F]
        count = np.maximum(edge[:, 0], _NOTHING)  # [H]
        mean_x = edge[:, 1:] / count[:, None]  # [H, F]
        pooled = self._pooled[kept, 1:, 1:].sum(axis=0) - (count[:, None] * mean_x).T @ mean_x
        # the tiny penalty keeps what says nothing at zero; per row, to suit any length of history
        pooled += 1e-4 * max(float(count.sum()), 1.0) * np.eye(len(pooled))
        gram = self._total[leads]
        if without is not None:
            gram = gram - self.gram[without, leads]
        factors = Factors.of(pooled[None])
        slope = (cross[:, 1:] - cross[:, :1] * mean_x).sum(axis=0)  # [F]
        return System(gram, cross[leads], factors, factors.solve(slope[None, None])[0, 0])


@dataclass(frozen=True)
class System:
    """Normal equations of each lead time, and those of all of them around their means."""

    gram: FloatArray  # [H, 1+F, 1+F]
    cross: FloatArray  # [H, 1+F]
    pooled: Factors  # of [1, F, F]
    common: FloatArray  # [F], weights that fit all lead times at once

    @property
    def count(self) -> FloatArray:
        """Sums of weights, [H]."""
        return np.maximum(self.gram[:, 0, 0], _NOTHING)

    @property
    def mean_x(self) -> FloatArray:
        """Means of the features, [H, F]."""
        return np.asarray(self.gram[:, 0, 1:] / self.count[:, None])

    @property
    def mean_y(self) -> FloatArray:
        """Means of the target, [H]."""
        return np.asarray(self.cross[:, 0] / self.count)

    def solve(self, alpha: float) -> FloatArray:
        """Solve for the weights of each lead time, intercept first.

        They are w + d: w fits all lead times at once, d what is left of each, and its square is
        penalized by ``alpha`` per row. Without penalty each lead time stands alone; with an
        infinite one (`COMMON`) all have w. Intercepts are free.

        Returns
        -------
        FloatArray
            [H, 1+F].
        """
        return self.solver(alpha).own(self.cross[:, None], self.common[None])[:, 0]

    def solver(self, alpha: float) -> "Solver":
        """Factorize the equations once, for many targets; see `solve`."""
        if alpha == COMMON:
            return Solver(self, None, None)
        penalty = alpha * np.maximum(self.count, 1.0)[:, None]  # [H, 1]
        equations = self.gram.copy()
        diagonal = np.einsum("hff->hf", equations)  # a view
        diagonal[:, 0] = self.count
        diagonal[:, 1:] += penalty
        return Solver(self, penalty, Factors.of(equations))


@dataclass(frozen=True)
class Solver:
    """Solves a system under a penalty for Q targets, by their weighted products x'y [H, Q, 1+F]."""

    system: System
    penalty: FloatArray | None  # [H, 1]; none where the weights are common to all lead times
    factors: Factors | None

    def solve(self, cross: FloatArray) -> FloatArray:
        """Solve for weights [H, Q, 1+F]."""
        slope = cross[:, :, 1:] - cross[:, :, :1] * self.system.mean_x[:, None]  # [H, Q, F]
        return self.own(cross, self.system.pooled.solve(slope.sum(axis=0)[None])[0])

    def own(self, cross: FloatArray, common: FloatArray) -> FloatArray:
        """Solve for weights [H, Q, 1+F] that are drawn towards common ones [Q, F]."""
        if self.penalty is None or self.factors is None:
            mean_x, mean_y = self.system.mean_x, cross[:, :, 0] / self.system.count[:, None]
            intercept = mean_y - mean_x @ common.T  # [H, Q]
            weights = np.broadcast_to(common, (len(cross), *common.shape))
            return np.concatenate([intercept[:, :, None], weights], axis=2)
        drawn = cross.copy()
        drawn[:, :, 1:] += self.penalty[:, None] * common
        return self.factors.solve(drawn)


def recency(rows: Rows, half_life: timedelta | None) -> FloatArray:
    """Weigh rows by their age, [B, H]; after the half-life a row counts half."""
    if half_life is None:
        return np.ones(rows.target.shape)
    age = (rows.origin.max() - rows.origin) / half_life.total_seconds()
    return np.broadcast_to(0.5 ** age[:, None], rows.target.shape)


def moments(rows: Rows, folds: int, weight: FloatArray) -> Moments:
    """Accumulate the moments of training rows, weighted by [B, H], in interleaved weeks.

    Contiguous folds would leave whole seasons out, single days would leak from their neighbours.

    Raises
    ------
    RungError
        If there are too few origins.
    """
    if len(rows.origin) < _LEAST_ORIGINS:
        raise RungError(
            f"ridge: expected at least {_LEAST_ORIGINS} training origins, got {len(rows.origin)}"
        )
    design = Design.of(rows)
    fold = (rows.origin // WEEK_S) % folds
    parts = [np.flatnonzero(fold == k) for k in range(folds)]
    return Moments(design, *design.products(weight.T, parts), fold)


def tune_alpha(sums: Moments, alphas: tuple[float, ...]) -> float:
    """Choose the penalty with the least cross-validated squared error over some lead times.

    From the largest on, as long as the error falls.
    """
    leads = slice(None, None, max(1, sums.gram.shape[1] // _LEADS_TO_TUNE))
    folds = [
        (gram, cross, sums.system(k, leads))
        for k, (gram, cross) in enumerate(
            zip(sums.gram[:, leads], sums.cross[:, leads], strict=True)
        )
    ]
    best, least = max(alphas), math.inf
    for alpha in sorted(alphas, reverse=True):
        error = 0.0
        for gram, cross, system in folds if len(alphas) > 1 else ():
            weights = system.solve(alpha)
            # (y - xw)^2 but for y^2, which is the same for all
            error += float(np.sum(weights * ((gram @ weights[..., None])[..., 0] - 2 * cross)))
        if error >= least:
            break
        best, least = alpha, error
    return best


def out_of_fold(sums: Moments, alpha: float) -> FloatArray:
    """Forecast every training row by weights that have not seen its fold, [B, H]."""
    forecast = np.empty(sums.design.y.T.shape)
    for k in range(len(sums.gram)):
        held = np.flatnonzero(sums.fold == k)
        forecast[held] = sums.design.forecast(sums.solve(alpha, without=k), held)
    return forecast


def linear_model(sums: Moments, solved: FloatArray) -> LinearModel:
    """Round solved weights [H, 1+F] to 16 bits, feature by feature."""
    weights, bias = solved[:, 1:], solved[:, 0]  # [H, F], [H]
    if (weights == weights[:1]).all():
        weights = weights[:1]
    step = np.abs(weights).max(axis=0) / _LEVELS
    step[step == 0] = 1.0
    return LinearModel(
        mean=sums.mean.astype(np.float32),
        scale=(step / sums.deviation).astype(np.float32),
        weights=np.rint(weights / step).astype(np.int16),
        bias=bias.astype(np.float32),
    )
