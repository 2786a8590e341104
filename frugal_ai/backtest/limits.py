"""What a series can be at the least and at the most: no forecast leaves that range."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from pydantic import model_validator
from spox import Var

from frugal_ai.features.frame import const
from frugal_ai.ladder.rung import Fitted, Float32Array, FloatArray
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

    def keep(self, fitted: Fitted) -> Fitted:
        """Return a model whose forecasts stay within the limits."""
        if self.minimum is None and self.maximum is None:
            return fitted
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        return Limited(fitted, low, high)


@dataclass(frozen=True)
class Limited:
    """A fitted rung whose forecasts are clipped, in Python and in the graph."""

    fitted: Fitted
    low: float
    high: float

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H] within the limits."""
        return np.clip(self.fitted.predict(features), self.low, self.high)

    def to_onnx(self, features: Var) -> Var:
        """Append model and limits to a graph, float32 [B, H]."""
        bounds = (const(bound, np.float32) for bound in (self.low, self.high))
        return op.clip(self.fitted.to_onnx(features), *bounds)
