"""Linear models with weights for each lead time, drawn towards weights common to all of them."""

import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.data.calendar import WEEK_S
from frugal_ai.errors import RungError
from frugal_ai.features.frame import const
from frugal_ai.ladder.rung import BoolArray, Float32Array, FloatArray, IntArray, Rows

COMMON = math.inf
"""The penalty under which all lead times have the same weights."""

_LEAST_ORIGINS = 28  # four weeks: below that a weekday is seen less than four times
_LEVELS = 32767  # of the 16-bit weights
_NO_CANCELLATION = 6.0  # float32 keeps sums over so many times the result to 1e-6 of it
_LEADS_TO_TUNE = 8  # the penalty is one for all lead times; some of them are enough to find it


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

    mean: FloatArray  # [F]
    deviation: FloatArray  # [F]
    gram: FloatArray  # [folds, H, 1+F, 1+F]
    cross: FloatArray  # [folds, H, 1+F]
    fold: NDArray[np.int64]  # [B]

    def solve(
        self, alpha: float, without: int | None = None, leads: slice = slice(None)
    ) -> FloatArray:
        """Solve all folds or all but one for weights [H, 1+F]; see `System.solve`."""
        return self.system(without).solve(alpha, leads)

    def system(self, without: int | None = None) -> "System":
        """Set up the normal equations of all folds or all but one."""
        gram, cross = self.gram.sum(axis=0), self.cross.sum(axis=0)
        if without is not None:
            gram, cross = gram - self.gram[without], cross - self.cross[without]
        count = np.maximum(gram[:, 0, 0], 1e-9)  # [H]
        mean_x, mean_y = gram[:, 0, 1:] / count[:, None], cross[:, 0] / count  # [H, F], [H]
        inner = gram[:, 1:, 1:] - count[:, None, None] * mean_x[:, :, None] * mean_x[:, None, :]
        slope = cross[:, 1:] - (count * mean_y)[:, None] * mean_x
        # the tiny penalty keeps what says nothing at zero; per row, to suit any length of history
        tiny = 1e-4 * max(float(count.sum()), 1.0) * np.eye(inner.shape[-1])
        common = np.linalg.solve(inner.sum(axis=0) + tiny, slope.sum(axis=0))
        return System(count, mean_x, mean_y, inner, slope, common)


@dataclass(frozen=True)
class System:
    """Normal equations of each lead time around its means, and what solves them all at once."""

    count: FloatArray  # [H], sums of weights
    mean_x: FloatArray  # [H, F]
    mean_y: FloatArray  # [H]
    inner: FloatArray  # [H, F, F]
    slope: FloatArray  # [H, F]
    common: FloatArray  # [F]

    def solve(self, alpha: float, leads: slice = slice(None)) -> FloatArray:
        """Solve for the weights of each lead time, intercept first.

        They are w + d: w fits all lead times at once, d what is left of each, and its square is
        penalized by ``alpha`` per row. Without penalty each lead time stands alone; with an
        infinite one (`COMMON`) all have w. Intercepts are free.

        Returns
        -------
        FloatArray
            [H, 1+F] of the lead times asked for.
        """
        mean_x = self.mean_x[leads]
        weights = np.broadcast_to(self.common, mean_x.shape)
        if alpha != COMMON:
            inner, count = self.inner[leads], np.maximum(self.count[leads], 1.0)
            left = self.slope[leads] - inner @ self.common
            penalty = alpha * count[:, None, None] * np.eye(inner.shape[-1])
            weights = weights + np.linalg.solve(inner + penalty, left[..., None])[..., 0]
        intercept = self.mean_y[leads] - np.einsum("hf,hf->h", mean_x, weights)
        return np.concatenate([intercept[:, None], weights], axis=1)


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
    flat = rows.features.reshape(-1, rows.features.shape[-1])
    mean = flat.mean(axis=0, dtype=np.float64)
    around = flat - mean.astype(np.float32)
    deviation = np.sqrt(np.einsum("nf,nf->f", around, around) / len(flat)).astype(np.float64)
    deviation[deviation < 1e-6 * np.maximum(np.abs(mean), 1.0)] = np.inf  # says nothing
    fold = (rows.origin // WEEK_S) % folds
    order = np.argsort(fold, kind="stable")
    bounds = np.searchsorted(fold[order], np.arange(folds + 1))
    horizon, width = rows.target.shape[1], len(mean) + 1
    gram = np.empty((folds, horizon, width, width))
    cross = np.empty((folds, horizon, width))
    for h in range(horizon):
        seen = np.isfinite(rows.target[order, h])
        y = np.where(seen, rows.target[order, h], 0.0)
        x = np.empty((len(order), width))  # [B, 1+F]
        x[:, 0] = 1.0
        x[:, 1:] = (rows.features[order, h] - mean) / deviation
        weighted = x * (seen * weight[order, h])[:, None]
        for k in range(folds):
            part = slice(bounds[k], bounds[k + 1])
            gram[k, h] = weighted[part].T @ x[part]
            cross[k, h] = weighted[part].T @ y[part]
    return Moments(mean, deviation, gram, cross, fold)


def tune_alpha(rows: Rows, sums: Moments, alphas: tuple[float, ...]) -> float:
    """Choose the penalty with the least cross-validated squared error over some lead times."""
    if len(alphas) == 1:
        return alphas[0]
    horizon = rows.target.shape[1]
    leads = slice(None, None, max(1, horizon // _LEADS_TO_TUNE))
    errors = np.zeros(len(alphas))
    for k in range(len(sums.gram)):
        held, system = sums.fold == k, sums.system(without=k)
        features, target = rows.features[held][:, leads], rows.target[held][:, leads]
        for i, alpha in enumerate(alphas):
            forecast = apply(sums, system.solve(alpha, leads), features)
            errors[i] += np.nansum((forecast - target) ** 2)
    return alphas[int(np.argmin(errors))]


def out_of_fold(rows: Rows, sums: Moments, alpha: float) -> FloatArray:
    """Forecast every training row by weights that have not seen its fold, [B, H]."""
    forecast = np.empty(rows.target.shape)
    for k in range(len(sums.gram)):
        held = sums.fold == k
        forecast[held] = apply(sums, sums.solve(alpha, without=k), rows.features[held])
    return forecast


def apply(sums: Moments, weights: FloatArray, features: Float32Array) -> FloatArray:
    """Forecast [B, H] by weights [H, 1+F] on features [B, H, F]."""
    scaled = weights[:, 1:] / sums.deviation  # [H, F]
    shift = weights[:, 0] - scaled @ sums.mean  # [H]
    return np.asarray(np.einsum("bhf,hf->bh", features, scaled) + shift)


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
