"""What the series did at the same time of day on the last days."""

from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, MinLen
from spox import Var

from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.blocks.lag import known_lag
from frugal_ai.features.blocks.rolling import covariates
from frugal_ai.features.frame import TARGET, Frame, const
from frugal_ai.features.grid import Grid

_STATISTICS = {"mean": op.reduce_mean, "min": op.reduce_min, "max": op.reduce_max}


class Daily(Block):
    """Mean, minimum or maximum over the target's time of day on the last days that are known.

    The maximum of some weeks is what a clear day gives, where the place of a PV plant is unknown.
    """

    feature: Literal["daily"]
    days: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)]
    stats: Annotated[tuple[Literal["mean", "min", "max"], ...], MinLen(1)] = ("mean",)
    of: str = TARGET

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - counted in days
        prefix = "" if self.of == TARGET else f"{self.of}_"
        return tuple(f"{prefix}daily_{stat}_{days}d" for days in self.days for stat in self.stats)

    def reach(self, grid: Grid) -> Reach:
        return Reach(int(self._lags(grid, max(self.days)).max()), past=covariates(self.of))

    def build(self, frame: Frame) -> Var:
        signal, columns = frame.signal(self.of), []
        at = frame.history_steps + np.arange(frame.grid.horizon)[:, None]
        for days in self.days:
            index = at - self._lags(frame.grid, days)  # [H, days]
            values = op.gather(signal, const(index, np.int32), axis=1)  # [B, H, days]
            columns += [_STATISTICS[stat](values, axes=[2], keepdims=1) for stat in self.stats]
        return op.concat(columns, axis=2)

    def _lags(self, grid: Grid, days: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        day = DAY_S // grid.step_s
        newest = known_lag(day, grid.horizon, day)  # [H]
        return np.asarray(newest[:, None] + day * np.arange(days))
