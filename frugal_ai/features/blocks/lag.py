"""What the series itself, or a past covariate, did before the origin."""

from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, MinLen
from spox import Var

from frugal_ai.data.calendar import DAY_S, WEEK_S
from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.blocks.rolling import covariates, trailing
from frugal_ai.features.frame import TARGET, Frame, const
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration


def known_lag(lag: int, horizon: int, period: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Lengthen a lag by whole periods where the lagged value is not known at the origin.

    Parameters
    ----------
    lag, period
        Lag and what it is lengthened by [steps].
    horizon
        Number of target steps, H.

    Returns
    -------
    ndarray
        Lag of each target step [H]; the one of step h is greater than h.
    """
    lead = np.arange(horizon)
    missing = np.maximum(lead + 1 - lag, 0)
    return lag + -(-missing // period) * period


class Lag(Block):
    """The value at the same time some days before, or the latest such value that is known.

    A lag that reaches past the origin is lengthened: by weeks when it is whole weeks, by days when
    it is whole days, else by itself. ``minus_mean`` takes the mean of that window before the origin
    away, which leaves the shape and removes the level.
    """

    feature: Literal["lag"]
    at: Annotated[tuple[Duration, ...], MinLen(1)]
    of: str = TARGET
    minus_mean: Duration | None = None

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for lag in self.at:
            if grid.steps(lag, "recipe: lag.at") < 1:
                raise PipelineError("recipe: lag.at: expected at least one step, got 0d")
        prefix = "" if self.of == TARGET else f"{self.of}_"
        suffix = f"_minus_mean_{format_duration(self.minus_mean)}" if self.minus_mean else ""
        return tuple(f"{prefix}lag_{format_duration(lag)}{suffix}" for lag in self.at)

    def reach(self, grid: Grid) -> Reach:
        lags = self._lags(grid)
        window = grid.steps(self.minus_mean, "recipe: lag.minus_mean") if self.minus_mean else 0
        steps = max(int((lags - np.arange(grid.horizon)[:, None]).max()), window)
        return Reach(steps, past=covariates(self.of))

    def build(self, frame: Frame) -> Var:
        grid = frame.grid
        index = frame.history_steps + np.arange(grid.horizon)[:, None] - self._lags(grid)  # [H, k]
        signal = frame.signal(self.of)
        values = op.gather(signal, const(index, np.int32), axis=1)
        if self.minus_mean is None:
            return values
        window = grid.steps(self.minus_mean, "recipe: lag.minus_mean")
        level = op.reduce_mean(trailing(frame, signal, window), axes=[1], keepdims=1)  # [B, 1]
        return op.sub(values, op.unsqueeze(op.cast(level, to=np.float32), const([2], np.int64)))

    def _lags(self, grid: Grid) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        columns = []
        for lag in self.at:
            seconds = int(lag.total_seconds())
            unit = next((s for s in (WEEK_S, DAY_S) if seconds % s == 0), seconds)
            steps = grid.steps(lag, "recipe: lag.at")
            columns.append(known_lag(steps, grid.horizon, unit // grid.step_s))
        return np.stack(columns, axis=1)  # [H, k]


class Last(Block):
    """The last observed values before the origin, newest first."""

    feature: Literal["last"]
    steps: Annotated[int, Ge(1)] = 1
    of: str = TARGET

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - counted in steps
        prefix = "" if self.of == TARGET else f"{self.of}_"
        return tuple(f"{prefix}last_{k}" for k in range(1, self.steps + 1))

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        return Reach(self.steps, past=covariates(self.of))

    def build(self, frame: Frame) -> Var:
        index = frame.history_steps - 1 - np.arange(self.steps)
        return frame.spread(op.gather(frame.signal(self.of), const(index, np.int32), axis=1))
