"""Several perceptrons of one shape, trained side by side on the same batches."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_ai.ladder.rung import Float32Array

LINEAR = np.float32(np.finfo(np.float32).min)
"""Floor of a unit that is never cut off."""
# of Adam (Kingma and Ba 2015, Adam: a method for stochastic optimization)
_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-8
_Arrays = dict[str, Float32Array]


@dataclass(frozen=True)
class Schedule:
    """How perceptrons are trained.

    Attributes
    ----------
    epochs
        Times that every origin is seen.
    batch
        Origins of a step.
    rate
        Size of the first step; it falls to 0 along a half cosine (Loshchilov and Hutter 2017,
        SGDR: stochastic gradient descent with warm restarts).
    huber
        Residual from which on the loss grows like its size [unit of the target].
    """

    epochs: int
    batch: int
    rate: float
    huber: float


class Perceptrons:
    """S perceptrons with U hidden units each; see `mlp.Perceptron`.

    Attributes
    ----------
    hidden
        [K, S, U].
    threshold
        [S, U].
    out
        [H, S, U].
    bias
        [H, S].
    floor
        [U].
    """

    def __init__(
        self,
        hidden: Float32Array,
        threshold: Float32Array,
        out: Float32Array,
        bias: Float32Array,
        floor: Float32Array,
    ) -> None:
        self.hidden, self.threshold, self.out, self.bias = hidden, threshold, out, bias
        self.floor = floor
        # a threshold of a linear unit would only shift the bias
        self._bent = (floor > LINEAR).astype(np.float32)

    @property
    def n_seeds(self) -> int:
        """How many there are, S."""
        return len(self.threshold)

    def forecast(self, inputs: Float32Array) -> Float32Array:
        """Forecast [B, H, S] from standardized inputs [B, H, K]."""
        units = self._units(inputs)
        return np.asarray((units * self.out).sum(axis=3) + self.bias)

    def train(
        self,
        inputs: Float32Array,
        target: Float32Array,
        schedule: Schedule,
        draws: np.random.RandomState,
    ) -> None:
        """Go down Huber's loss.

        Parameters
        ----------
        inputs, target
            [B, H, K] and [B, H], NaN where nothing is to be learnt.
        draws
            Of the order of the origins.
        """
        weights = {
            "hidden": self.hidden,
            "threshold": self.threshold,
            "out": self.out,
            "bias": self.bias,
        }
        adam = _Adam(weights)
        batches = -(-len(inputs) // schedule.batch)
        total = schedule.epochs * batches
        for epoch in range(schedule.epochs):
            for i, rows in enumerate(np.array_split(draws.permutation(len(inputs)), batches)):
                gradients = self._gradients(inputs[rows], target[rows], schedule.huber)
                done = (epoch * batches + i) / total
                adam.step(gradients, schedule.rate * 0.5 * (1 + np.cos(np.pi * done)))

    def _units(self, inputs: Float32Array) -> Float32Array:
        batch, horizon, width = inputs.shape
        flat = inputs.reshape(-1, width) @ self.hidden.reshape(width, -1)
        units = flat.reshape(batch, horizon, *self.threshold.shape)
        units += self.threshold
        return np.asarray(np.maximum(units, self.floor, out=units))

    def _gradients(self, inputs: Float32Array, target: Float32Array, huber: float) -> _Arrays:
        batch, horizon, width = inputs.shape
        units = self._units(inputs)  # [B, H, S, U]
        error = (units * self.out).sum(axis=3) + self.bias - target[:, :, None]  # [B, H, S]
        slope = np.clip(np.nan_to_num(error / np.float32(huber)), -1, 1)
        slope /= np.float32(batch * horizon)
        down = slope[:, :, :, None] * self.out
        down *= units > self.floor
        flat = down.reshape(-1, self.threshold.size)
        hidden = inputs.reshape(-1, width).T @ flat
        return {
            "hidden": hidden.reshape(self.hidden.shape),
            "threshold": flat.sum(axis=0).reshape(self.threshold.shape) * self._bent,
            "out": (units * slope[:, :, :, None]).sum(axis=0),
            "bias": slope.sum(axis=0),
        }


class _Adam:
    """Steps against gradients; the weights change in place."""

    def __init__(self, weights: _Arrays) -> None:
        self._weights = weights
        self._mean = {name: np.zeros_like(values) for name, values in weights.items()}
        self._square = {name: np.zeros_like(values) for name, values in weights.items()}
        self._steps = 0

    def step(self, gradients: Mapping[str, NDArray[np.float32]], rate: float) -> None:
        self._steps += 1
        unbiased = np.sqrt(1 - _SQUARE**self._steps) / (1 - _MEAN**self._steps)
        size = np.float32(rate * unbiased)
        for name, gradient in gradients.items():
            mean, square = self._mean[name], self._square[name]
            mean += np.float32(1 - _MEAN) * (gradient - mean)
            square += np.float32(1 - _SQUARE) * (gradient * gradient - square)
            self._weights[name] -= size * mean / (np.sqrt(square) + np.float32(_TINY))
