"""The last observed value, repeated."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.lag import Last
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Family, Fitted, Float32Array, FloatArray, Rows, Rung


@dataclass(frozen=True)
class FirstColumn:
    """Forecasts the first feature as it is."""

    def predict(self, features: Float32Array) -> FloatArray:
        """Return the first feature, [B, H]."""
        return features[:, :, 0].astype(np.float64)

    def to_onnx(self, features: Var) -> Var:
        """Return the first feature, float32 [B, H]."""
        return op.squeeze(features, const([2], np.int64))


class Persistence(Rung):
    """Repeats the last observation over the horizon; learns nothing."""

    rung: Literal["persistence"] = "persistence"
    family: ClassVar[Family] = "naive"
    summary: ClassVar[str] = "the last observed value, repeated"

    def blocks(self, recipe: Recipe | None = None) -> tuple[Block, ...]:  # noqa: ARG002 - its own
        return (Last(feature="last", steps=1),)

    def fit(self, rows: Rows) -> Fitted:  # noqa: ARG002 - learns nothing
        return FirstColumn()


RUNG = Persistence
