"""From what a model says to what a plant can do: in its unit, dark at night, within capacity."""

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.unit import Daylight, Unit
from frugal_ai.features.frame import const

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Physical:
    """Columns that stand last among the features, and what is made of them.

    Attributes
    ----------
    unit
        The target is learnt per unit, such as installed capacity, and multiplied by it again.
    full
        No forecast is above one unit.
    daylight
        Where the sun must be up for anything above zero; None for no such rule.
    spread
        One column that errors grow with, such as the best that a time of day has given lately
        [units]; None where they do not.
    dark
        Nothing is forecast where the spread is zero, as at night where the place is unknown.
    """

    unit: bool = False
    full: bool = False
    daylight: Daylight | None = None
    spread: Block | None = None
    dark: bool = False

    def __post_init__(self) -> None:
        if self.dark and self.spread is None:
            raise PipelineError("site: expected something that tells the night, got nothing")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The columns: spread, unit, daylight, those of them that there are."""
        return tuple(
            block for block in (self.spread, Unit() if self.unit else None, self.daylight) if block
        )

    @property
    def _factors(self) -> range:
        """Columns that forecasts are multiplied by, counted from the end."""
        return range(-len(self.blocks) + (self.spread is not None and not self.dark), 0)

    def without(self, features: Float32Array) -> Float32Array:
        """Return the features [B, H, F] that the rung reads."""
        return features[:, :, : features.shape[2] - len(self.blocks)]

    def without_onnx(self, features: Var) -> Var:
        """Append the features that the rung reads to a graph."""
        if not self.blocks:
            return features
        return op.slice(features, *(const([i], np.int64) for i in (0, -len(self.blocks), 2)))

    def per_unit(self, values: FloatArray, features: Float32Array) -> FloatArray:
        """Divide what was observed [B, H] by the unit at the time."""
        if not self.unit:
            return values
        column = -1 if self.daylight is None else -2
        return np.asarray(values / features[:, :, column], dtype=np.float64)

    def idle(self, features: Float32Array) -> BoolArray:
        """Mark where nothing is forecast whatever a model says, as at night, [B, H]."""
        idle = np.zeros(features.shape[:2], bool)
        for column in self._factors:
            idle |= features[:, :, column] <= 0
        return idle

    def spread_of(self, features: Float32Array) -> FloatArray:
        """Return what errors grow with [B, H], 1 where that is nothing."""
        if self.spread is None:
            return np.ones(features.shape[:2])
        return np.maximum(features[:, :, -len(self.blocks)].astype(np.float64), 0.0)

    def spread_onnx(self, features: Var) -> Var | None:
        """Append the same to a graph, None where that is nothing."""
        if self.spread is None:
            return None
        return op.relu(op.gather(features, const(-len(self.blocks), np.int64), axis=2))

    def finish(self, values: FloatArray, features: Float32Array) -> FloatArray:
        """Turn forecasts per unit [B, H] or quantiles [B, H, Q] into the unit of the series."""
        if self.full:
            values = np.minimum(values, 1.0)
        for column in self._factors:
            factor = features[:, :, column].astype(np.float64)
            if column == -len(self.blocks) and self.dark:
                factor = (factor > 0).astype(np.float64)
            values = values * (factor if values.ndim == 2 else factor[:, :, None])
        return values

    def finish_onnx(self, values: Var, features: Var, *, quantiles: bool) -> Var:
        """Append the same to a graph."""
        if self.full:
            values = op.min([values, const(1.0, np.float32)])
        for column in self._factors:
            factor = op.gather(features, const(column, np.int64), axis=2)  # [B, H]
            if column == -len(self.blocks) and self.dark:
                factor = op.cast(op.greater(factor, const(0.0, np.float32)), to=np.float32)
            if quantiles:
                factor = op.unsqueeze(factor, const([2], np.int64))
            values = op.mul(values, factor)
        return values
