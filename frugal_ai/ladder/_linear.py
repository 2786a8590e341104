"""Linear models with weights for each lead time, drawn towards weights common to all of them."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.data.calendar import WEEK_S
from frugal_ai.errors import RungError
from frugal_ai.features.frame import const
from frugal_ai.ladder.rung import Float32Array, FloatArray, Rows

COMMON = math.inf
"""The penalty under which all lead times have the same weights."""

_LEAST_ORIGINS = 28  # four weeks: below that a weekday is seen less than four times
_LEVELS = 32767  # of the 16-bit weights
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
        scaled = op.mul(
            op.sub(features, const(self.mean, np.float32)), const(self.scale, np.float32)
        )
        weights = op.cast(const(self.weights, np.int16), to=np.float32)
        total = op.reduce_sum(op.mul(scaled, weights), const([2], np.int64), keepdims=0)
        return op.add(total, const(self.bias, np.float32))


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
