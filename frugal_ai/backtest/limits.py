"""What a series can be at the least and at the most: no forecast leaves that range."""

from typing import Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from pydantic import model_validator
from spox import Var

from frugal_ai.features.frame import const
from frugal_ai.ladder.rung import FloatArray
from frugal_ai.settings import Settings


class Limits(Settings):
    """Bounds of every forecast [unit of the series]; None for no bound."""

    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"expected minimum < maximum, got {self.minimum} and {self.maximum}")
        return self

    @property
    def _bounds(self) -> tuple[float, float] | None:
        if self.minimum is None and self.maximum is None:
            return None
        low = -np.inf if self.minimum is None else self.minimum
        return low, np.inf if self.maximum is None else self.maximum

    def clip(self, values: FloatArray) -> FloatArray:
        """Return forecasts of any shape within the limits."""
        return values if self._bounds is None else np.clip(values, *self._bounds)

    def clip_onnx(self, values: Var) -> Var:
        """Append the limits to a graph, float32 of any shape."""
        if self._bounds is None:
            return values
        return op.clip(values, *(const(bound, np.float32) for bound in self._bounds))
