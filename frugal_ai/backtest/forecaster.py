"""What a backtest ends in: forecasts and quantiles from features, in Python and in a graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

import numpy as np
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.manifest import DRIFT
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
from frugal_ai.pinball import MEDIAN

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

    def rows(self, rows: slice) -> "Forecasts":
        """Return the forecasts of some origins."""
        return Forecasts(self.point[rows], self.quantiles[rows])


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

    Attributes
    ----------
    calibrated
        None where no quantiles are asked for.
    levels
        Of the quantiles, ascending; none without ``calibrated``.
    repeats
        Whether the forecast is what the rung says as it stands. Else it is the median, where that
        is among the levels.
    drifts
        Whether quantiles move with what arrives; see `frugal_edge.drift`.
    """

    fitted: Fitted
    calibrated: Calibrated | None
    clocks: OriginClocks
    physical: Physical
    limits: Limits
    levels: tuple[float, ...] = ()
    repeats: bool = False
    drifts: bool = False

    @property
    def _median(self) -> int | None:
        """Which of the levels is the forecast."""
        here = self.calibrated is not None and not self.repeats and MEDIAN in self.levels
        return self.levels.index(MEDIAN) if here else None

    def predict(self, features: Float32Array, drift: Float32Array | None = None) -> Forecasts:
        """Forecast, with quantiles moved by a drift [B, H, Q] [widths between the outer ones]."""
        return self.finish(self.plain(features), features, drift)

    def plain(self, features: Float32Array) -> Forecasts:
        """Forecast per unit, before drift, plant and limits have their say."""
        around = self.clocks.without(features)
        seen = self.physical.without(around)
        raw = self._quantiles(seen) if self.calibrated is not None else None
        if raw is None or self._median is None:
            point = self.fitted.predict(seen)
        else:
            point = np.zeros(raw.shape[:2])  # the median will be
        if self.calibrated is None:
            return Forecasts(point, np.empty((*point.shape, 0)))
        if raw is None:
            raw = point[:, :, None]
        group, spread = self.clocks.group(features), self.physical.spread_of(around)
        return Forecasts(point, self.calibrated.apply(raw, group, spread))

    def finish(
        self, plain: Forecasts, features: Float32Array, drift: Float32Array | None = None
    ) -> Forecasts:
        """Turn plain forecasts into those of the plant [unit of the series]."""
        around = self.clocks.without(features)
        quantiles = plain.quantiles
        if drift is not None and quantiles.shape[2]:
            width = np.maximum(quantiles[:, :, -1:] - quantiles[:, :, :1], 0.0)
            quantiles = quantiles + width * drift
        quantiles = self.limits.clip(self.physical.finish(np.sort(quantiles, axis=2), around))
        if self._median is not None:
            return Forecasts(quantiles[:, :, self._median], quantiles)
        return Forecasts(self.limits.clip(self.physical.finish(plain.point, around)), quantiles)

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

    def to_onnx(self, features: Var) -> tuple[dict[str, Var], dict[str, Var]]:
        """Append it to a graph: inputs beside those of the features, and its outputs.

        The outputs are float32 ``forecast`` [B, H] and any ``quantiles`` [B, H, Q], the input is
        any ``drift`` of these [B, H, Q].
        """
        around = self.clocks.without_onnx(features)
        seen = self.physical.without_onnx(around)
        if self.calibrated is None:
            return {}, {FORECAST: self._finish_onnx(self.fitted.to_onnx(seen), around)}
        if isinstance(self.fitted, FittedQuantiles):
            raw = self.fitted.quantiles_to_onnx(seen)
        else:
            raw = op.unsqueeze(self.fitted.to_onnx(seen), const([2], np.int64))
        group, spread = self.clocks.group_onnx(features), self.physical.spread_onnx(around)
        quantiles = self.calibrated.apply_onnx(raw, group, spread)
        inputs = {}
        if self.drifts:
            _, horizon, _ = features.unwrap_tensor().shape or ()
            shape = ("B", horizon, len(self.levels))
            inputs[DRIFT] = spox.argument(spox.Tensor(np.float32, shape))
            quantiles = _drifted_onnx(quantiles, inputs[DRIFT], len(self.levels))
        quantiles = self._finish_onnx(_sorted_onnx(quantiles), around, quantiles=True)
        if self._median is None:
            point = self._finish_onnx(self.fitted.to_onnx(seen), around)
        else:
            point = op.gather(quantiles, const(self._median, np.int64), axis=2)
        return inputs, {FORECAST: point, QUANTILES: quantiles}

    def _finish_onnx(self, values: Var, around: Var, *, quantiles: bool = False) -> Var:
        finished = self.physical.finish_onnx(values, around, quantiles=quantiles)
        return self.limits.clip_onnx(finished)


def _drifted_onnx(quantiles: Var, drift: Var, levels: int) -> Var:
    """Move quantiles [B, H, Q] by a drift in widths between the outer ones."""
    ends = np.zeros((levels, levels))  # each level's own width: equal shapes are added fastest
    ends[0], ends[-1] = -1.0, 1.0
    width = op.relu(op.matmul(quantiles, const(ends, np.float32)))  # [B, H, Q]
    return op.add(quantiles, op.mul(width, drift))


def _sorted_onnx(values: Var) -> Var:
    """Sort along the last axis [B, H, Q], ascending."""
    width = op.gather(op.shape(values), const([-1], np.int64))
    return op.top_k(values, width, axis=-1, largest=0, sorted=1)[0]
