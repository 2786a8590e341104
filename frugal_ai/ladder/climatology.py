"""The mean of the same local time of the week."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.data.calendar import WEEK_S
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.clock import Slot
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Family, Fitted, Float32Array, FloatArray, Rows, Rung


@dataclass(frozen=True)
class SlotMeans:
    """One value for each step of the local week."""

    table: Float32Array  # [slots]

    def predict(self, features: Float32Array) -> FloatArray:
        """Look up [B, H]."""
        return self.table[features[:, :, 0].astype(np.int64)].astype(np.float64)

    def to_onnx(self, features: Var) -> Var:
        """Look up, float32 [B, H]."""
        slot = op.cast(op.squeeze(features, const([2], np.int64)), to=np.int64)
        return op.gather(const(self.table, np.float32), slot)


class Climatology(Rung):
    """Mean over the training period by local time of the week."""

    rung: Literal["climatology"] = "climatology"
    family: ClassVar[Family] = "naive"
    summary: ClassVar[str] = "the mean of the same local time of the week"

    def blocks(self, recipe: Recipe | None = None) -> tuple[Block, ...]:  # noqa: ARG002 - its own
        return (Slot(feature="slot", period="week"),)

    def fit(self, rows: Rows) -> Fitted:
        """Average the observed targets of each slot; a slot never seen gets the overall mean."""
        seen = np.isfinite(rows.target)
        slot = rows.features[:, :, 0][seen].astype(np.int64)
        target = rows.target[seen]
        slots = -(-WEEK_S // rows.step_s)
        count = np.bincount(slot, minlength=slots)
        total = np.bincount(slot, weights=target, minlength=slots)
        means = np.where(count > 0, total / np.maximum(count, 1), target.mean())
        return SlotMeans(means.astype(np.float32))


RUNG = Climatology
