"""Training rows as linear rungs read them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from frugal_ai.ladder.rung import BoolArray, Float32Array, FloatArray, IntArray, Rows

ALL = slice(None)
Origins = slice | IntArray


@dataclass(frozen=True)
class Design:
    """Rows by lead time, standardized: around the means single precision is enough."""

    x: Float32Array  # [H, B, 1+F], standardized features after a 1 for the intercept
    y: Float32Array  # [H, B], target above its level, 0 where nothing was observed
    seen: BoolArray  # [H, B]
    level: FloatArray  # [H], mean of the target
    mean: FloatArray  # [F]
    deviation: FloatArray  # [F], infinite where a feature is constant

    @classmethod
    def of(cls, rows: Rows) -> "Design":
        """Standardize rows."""
        origins, horizon, width = rows.features.shape
        mean = rows.features.mean(axis=0, dtype=np.float64).mean(axis=0)
        x = np.empty((horizon, origins, 1 + width), np.float32)
        x[:, :, 0] = 1.0
        around = x[:, :, 1:]
        np.subtract(rows.features.swapaxes(0, 1), mean.astype(np.float32), out=around)
        squares = [np.einsum("bf,bf->f", lead, lead) for lead in around]
        deviation = np.sqrt(np.mean(squares, axis=0, dtype=np.float64) / origins)
        deviation[deviation < 1e-6 * np.maximum(np.abs(mean), 1.0)] = np.inf  # says nothing
        around *= (1 / deviation).astype(np.float32)
        seen = np.isfinite(rows.target.T)
        target = np.where(seen, rows.target.T, 0.0)
        level = target.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
        y = np.where(seen, target - level[:, None], 0.0).astype(np.float32)
        return cls(x, y, seen, level, mean, deviation)

    def products(
        self, weight: FloatArray, parts: Sequence[Origins]
    ) -> tuple[FloatArray, FloatArray]:
        """Sum x'x and x'(y + level) over parts of the origins, weighted by [H, B].

        Returns
        -------
        tuple
            [parts, H, 1+F, 1+F] and [parts, H, 1+F].
        """
        horizon, _, width = self.x.shape
        gram = np.empty((len(parts), horizon, width, width))
        cross = np.empty((len(parts), horizon, width))
        root = np.sqrt(weight * self.seen).astype(np.float32)
        for h, (x, y) in enumerate(zip(self.x, self.y * root, strict=True)):
            for p, part in enumerate(parts):
                weighted = x[part] * root[h, part, None]
                gram[p, h] = weighted.T @ weighted
                cross[p, h] = y[part] @ weighted + self.level[h] * gram[p, h, 0]
        return gram, cross

    def fitted(self, weights: FloatArray, origins: Origins = ALL) -> Float32Array:
        """Forecast y by Q weights of each lead time [H, Q, 1+F], [H, Q, B]."""
        above = weights.astype(np.float32)
        above[:, :, 0] = weights[:, :, 0] - self.level[:, None]
        return np.ascontiguousarray((self.x[:, origins] @ above.swapaxes(1, 2)).swapaxes(1, 2))

    def forecast(self, weights: FloatArray, origins: Origins = ALL) -> FloatArray:
        """Forecast the target by weights [H, 1+F], [B, H]."""
        return self.fitted(weights[:, None], origins)[:, 0].T + self.level
