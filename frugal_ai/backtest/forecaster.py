"""What a backtest ends in: forecasts and quantiles from features, in Python and in a graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Protocol

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.backtest.conformal import Calibrated, IntArray
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.physical import Physical
from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.clock import Slot
from frugal_ai.features.frame import const
from frugal_ai.features.grid import Grid
from frugal_ai.ladder.rung import Fitted, FittedQuantiles, Float32Array, FloatArray

FORECAST, QUANTILES = "forecast", "quantiles"
"""Names of the graph's outputs."""


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of a batch of origins [unit of the series].

    Attributes
    ----------
    point
        [B, H].
    quantiles
        [B, H, Q], ascending along the last axis; Q is 0 where no levels are declared.
    """

    point: FloatArray
    quantiles: FloatArray


class Forecaster(Protocol):
    """A model that is ready to be used."""

    def predict(self, features: Float32Array) -> Forecasts:
        """Forecast from features [B, H, F]."""
        ...

    def to_onnx(self, features: Var) -> dict[str, Var]:
        """Append it to a graph: float32 ``forecast`` [B, H] and any ``quantiles`` [B, H, Q]."""
        ...


@dataclass(frozen=True)
class OriginClocks:
    """Groups of origins by the local time that they are at; several need a column of their own.

    That column comes last among the features: the target's step of the local day.

    Attributes
    ----------
    at
        Local times of origins, ascending, G of them.
    step_s
        Length of an interval [s].
    """

    at: tuple[time, ...]
    step_s: int

    @classmethod
    def of(cls, at: Sequence[time], step_s: int) -> "OriginClocks":
        """Put local times in order."""
        return cls(tuple(sorted(set(at))), step_s)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The features that tell the groups apart."""
        return (Slot(feature="slot", period="day"),) if len(self.at) > 1 else ()

    @property
    def names(self) -> tuple[str, ...]:
        """Local times as text."""
        return tuple(f"{clock:%H:%M}" for clock in self.at)

    @property
    def _group_of_slot(self) -> IntArray:
        """Group of each step of the day: the last of the local times before, around the clock."""
        starts = [(3600 * at.hour + 60 * at.minute + at.second) // self.step_s for at in self.at]
        slots = np.arange(-(-DAY_S // self.step_s))
        # an origin in the hour that a change of the clock leaves out stands after it
        return (np.searchsorted(starts, slots, side="right") - 1) % len(starts)

    def group_at(self, origins: IntArray, grid: Grid) -> IntArray:
        """Return the group of each origin [O] [unix s], [O]."""
        era = np.searchsorted(grid.transitions, origins, side="right")
        slot = (origins + grid.offsets[era]) % DAY_S // self.step_s
        return self._group_of_slot[slot] if self.blocks else np.zeros(len(origins), np.int64)

    def group(self, features: Float32Array) -> IntArray:
        """Return the group of each origin from features [B, H, F], [B]."""
        if not self.blocks:
            return np.zeros(len(features), np.int64)
        return self._group_of_slot[features[:, 0, -1].astype(np.int64)]

    def group_onnx(self, features: Var) -> Var | None:
        """Append the group of each origin to a graph, int64 [B]; None where there is but one."""
        if not self.blocks:
            return None
        first = op.gather(features, const(0, np.int64), axis=1)  # [B, F]
        slot = op.cast(op.gather(first, const(-1, np.int64), axis=1), to=np.int64)
        return op.gather(const(self._group_of_slot, np.int64), slot)

    def without(self, features: Float32Array) -> Float32Array:
        """Return the features that the rung reads."""
        return features[:, :, :-1] if self.blocks else features

    def without_onnx(self, features: Var) -> Var:
        """Append the features that the rung reads to a graph."""
        if not self.blocks:
            return features
        return op.slice(features, *(const([i], np.int64) for i in (0, -1, 2)))


@dataclass(frozen=True)
class SeriesForecaster:
    """A fitted rung, its quantiles calibrated, both kept to what the plant and the limits allow.

    Quantiles are sorted after calibration, so that none cross (Chernozhukov, Fernandez-Val and
    Galichon 2010, Quantile and probability curves without crossing).
    """

    fitted: Fitted
    calibrated: Calibrated | None
    clocks: OriginClocks
    physical: Physical
    limits: Limits

    def predict(self, features: Float32Array) -> Forecasts:
        """Forecast."""
        around = self.clocks.without(features)
        seen = self.physical.without(around)
        point = self.fitted.predict(seen)
        finished = self.limits.clip(self.physical.finish(point, around))
        if self.calibrated is None:
            return Forecasts(finished, np.empty((*point.shape, 0)))
        raw = self._quantiles(seen)
        if raw is None:
            raw = point[:, :, None]
        group, spread = self.clocks.group(features), self.physical.spread_of(around)
        quantiles = np.sort(self.calibrated.apply(raw, group, spread), axis=2)
        return Forecasts(finished, self.limits.clip(self.physical.finish(quantiles, around)))

    def raw(self, features: Float32Array) -> FloatArray:
        """Return what is calibrated, per unit: the rung's quantiles [B, H, Q], else [B, H, 1]."""
        seen = self.physical.without(self.clocks.without(features))
        own = self._quantiles(seen)
        return self.fitted.predict(seen)[:, :, None] if own is None else own

    def _quantiles(self, seen: Float32Array) -> FloatArray | None:
        """Return the quantiles that the rung has learnt itself, if any."""
        if isinstance(self.fitted, FittedQuantiles):
            return self.fitted.predict_quantiles(seen)
        return None

    def to_onnx(self, features: Var) -> dict[str, Var]:
        """Append it to a graph."""
        around = self.clocks.without_onnx(features)
        seen = self.physical.without_onnx(around)
        point = self.fitted.to_onnx(seen)
        finished = self.physical.finish_onnx(point, around, quantiles=False)
        outputs = {FORECAST: self.limits.clip_onnx(finished)}
        if self.calibrated is None:
            return outputs
        if isinstance(self.fitted, FittedQuantiles):
            raw = self.fitted.quantiles_to_onnx(seen)
        else:
            raw = op.unsqueeze(point, const([2], np.int64))
        group, spread = self.clocks.group_onnx(features), self.physical.spread_onnx(around)
        quantiles = _sorted_onnx(self.calibrated.apply_onnx(raw, group, spread))
        finished = self.physical.finish_onnx(quantiles, around, quantiles=True)
        return outputs | {QUANTILES: self.limits.clip_onnx(finished)}


def _sorted_onnx(values: Var) -> Var:
    """Sort along the last axis [B, H, Q], ascending."""
    width = op.gather(op.shape(values), const([-1], np.int64))
    return op.top_k(values, width, axis=-1, largest=0, sorted=1)[0]
