"""One fitted model for the forecast and one for each quantile level."""

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.frame import const
from frugal_ai.ladder.rung import Fitted, Float32Array, FloatArray

MEDIAN = 0.5


@dataclass(frozen=True)
class FittedLevels:
    """The median, which is the forecast, and the quantile levels that are asked for."""

    median: Fitted
    levels: tuple[Fitted, ...]  # Q

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast the median [B, H]."""
        return self.median.predict(features)

    def to_onnx(self, features: Var) -> Var:
        """Append the median to a graph, float32 [B, H]."""
        return self.median.to_onnx(features)

    def predict_quantiles(self, features: Float32Array) -> FloatArray:
        """Forecast quantiles [B, H, Q]."""
        return np.stack([model.predict(features) for model in self.levels], axis=2)

    def quantiles_to_onnx(self, features: Var) -> Var:
        """Append the quantiles to a graph, float32 [B, H, Q]."""
        last = const([2], np.int64)
        return op.concat(
            [op.unsqueeze(model.to_onnx(features), last) for model in self.levels], axis=2
        )
