"""One fitted model for the forecast and one for each quantile level."""

from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.errors import RungError
from frugal_ai.features.frame import const
from frugal_ai.ladder._linear import LinearModel, models_to_onnx
from frugal_ai.ladder.rung import (
    BoolArray,
    Fitted,
    FittedSparing,
    Float32Array,
    FloatArray,
    IntArray,
)

MEDIAN = 0.5


@dataclass(frozen=True)
class FittedLevels:
    """The median, which is the forecast, and the quantile levels that are asked for."""

    median: Fitted
    levels: tuple[Fitted, ...]  # Q

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast the median [B, H]."""
        return self.median.predict(features)

    @property
    def reads(self) -> BoolArray:
        """Which features matter to any of the models [F]."""
        models = (self.median, *self.levels)
        return np.asarray(np.any([_sparing(model).reads for model in models], axis=0))

    def kept(self, columns: IntArray) -> "FittedLevels":
        """Return the same models on some features [K], ascending, which hold all that matter."""
        median, *levels = (_sparing(model).kept(columns) for model in (self.median, *self.levels))
        return FittedLevels(median, tuple(levels))

    def to_onnx(self, features: Var) -> Var:
        """Append the median to a graph, float32 [B, H]."""
        return self.median.to_onnx(features)

    def predict_quantiles(self, features: Float32Array) -> FloatArray:
        """Forecast quantiles [B, H, Q]."""
        return np.stack([model.predict(features) for model in self.levels], axis=2)

    def quantiles_to_onnx(self, features: Var) -> Var:
        """Append the quantiles to a graph, float32 [B, H, Q]."""
        linear = [model for model in self.levels if isinstance(model, LinearModel)]
        if len(linear) == len(self.levels):
            return models_to_onnx(linear, features)
        last = const([2], np.int64)
        return op.concat(
            [op.unsqueeze(model.to_onnx(features), last) for model in self.levels], axis=2
        )


def _sparing(model: Fitted) -> FittedSparing:
    if not isinstance(model, FittedSparing):
        raise RungError(f"expected a model that knows what it reads, got {type(model).__name__}")
    return model
