"""Ridge regression with one set of weights for each lead time."""

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.data.calendar import WEEK_S
from frugal_ai.errors import RungError
from frugal_ai.features.frame import const
from frugal_ai.ladder.rung import Float32Array, FloatArray, Rows

_LEAST_ORIGINS = 28  # four weeks: below that a weekday is seen less than four times
_LEVELS = 32767  # of the 16-bit weights
_LEADS_TO_TUNE = 8  # the penalty is common to all lead times; some of them are enough to find it


@dataclass(frozen=True)
class LinearModel:
    """Weights [H, F] for standardized features, kept as 16-bit integers.

    The forecast is ``sum_f (x_f - mean_f) * scale_f * weights_hf + bias_h``; ``scale`` holds the
    step of the integers, so that they cost no operation of their own.
    """

    mean: Float32Array  # [F]
    scale: Float32Array  # [F]
    weights: NDArray[np.int16]  # [H, F]
    bias: Float32Array  # [H]

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        scaled = (features.astype(np.float64) - self.mean) * self.scale
        weights = self.weights.astype(np.float64)
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
        """Solve the ridge of each lead time, [H, 1+F], on all folds or all but one."""
        gram, cross = self.gram[:, leads].sum(axis=0), self.cross[:, leads].sum(axis=0)
        if without is not None:
            gram, cross = gram - self.gram[without, leads], cross - self.cross[without, leads]
        width = gram.shape[-1]
        # per row, so that one alpha suits short and long histories
        penalty = alpha * np.maximum(gram[:, :1, :1], 1.0) * np.eye(width)
        penalty[:, 0, 0] = 1e-9  # the intercept is free; a lead time without rows stays solvable
        return np.asarray(np.linalg.solve(gram + penalty, cross[..., None]))[..., 0]


def moments(rows: Rows, folds: int) -> Moments:
    """Accumulate the moments of training rows in interleaved weeks.

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
    deviation = flat.std(axis=0, dtype=np.float64)
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
        x *= seen[:, None]
        for k in range(folds):
            part = slice(bounds[k], bounds[k + 1])
            gram[k, h] = x[part].T @ x[part]
            cross[k, h] = x[part].T @ y[part]
    return Moments(mean, deviation, gram, cross, fold)


def tune_alpha(rows: Rows, sums: Moments, alphas: tuple[float, ...]) -> float:
    """Choose the penalty with the least cross-validated squared error over some lead times."""
    if len(alphas) == 1:
        return alphas[0]
    horizon = rows.target.shape[1]
    leads = slice(None, None, max(1, horizon // _LEADS_TO_TUNE))
    errors = [_held_out_error(rows, sums, alpha, leads) for alpha in alphas]
    return alphas[int(np.argmin(errors))]


def _held_out_error(rows: Rows, sums: Moments, alpha: float, leads: slice) -> float:
    forecast = out_of_fold(rows, sums, alpha, leads)
    return float(np.nanmean((forecast - rows.target[:, leads]) ** 2))


def out_of_fold(rows: Rows, sums: Moments, alpha: float, leads: slice = slice(None)) -> FloatArray:
    """Forecast every training row by weights that have not seen its fold, [B, H]."""
    forecast = np.empty(rows.target[:, leads].shape)
    for k in range(len(sums.gram)):
        held = sums.fold == k
        weights = sums.solve(alpha, without=k, leads=leads)
        z = (rows.features[held][:, leads] - sums.mean) / sums.deviation
        forecast[held] = np.einsum("bhf,hf->bh", z, weights[:, 1:]) + weights[:, 0]
    return forecast


def linear_model(sums: Moments, alpha: float) -> LinearModel:
    """Fit all rows and round the weights to 16 bits, feature by feature."""
    solved = sums.solve(alpha)
    weights, bias = solved[:, 1:], solved[:, 0]  # [H, F], [H]
    step = np.abs(weights).max(axis=0) / _LEVELS
    step[step == 0] = 1.0
    return LinearModel(
        mean=sums.mean.astype(np.float32),
        scale=(step / sums.deviation).astype(np.float32),
        weights=np.rint(weights / step).astype(np.int16),
        bias=bias.astype(np.float32),
    )
