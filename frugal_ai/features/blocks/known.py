"""Covariates that are known over the horizon, such as a weather forecast."""

from datetime import timedelta
from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import MinLen
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.frame import Frame, const, cut, position
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration

_NOW = timedelta(0)


class Known(Block):
    """Known covariates at the target, some time before it, and averaged over the time up to it.

    ``before`` shifts from the target; ``mean`` averages over a window that ends with the shifted
    interval (``0d`` for the value itself).
    """

    feature: Literal["known"]
    names: Annotated[tuple[str, ...], MinLen(1)]
    before: Annotated[tuple[Duration, ...], MinLen(1)] = (_NOW,)
    mean: Annotated[tuple[Duration, ...], MinLen(1)] = (_NOW,)

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for name in self.names:
            position(name, grid.known_names, "known")
        self.reach(grid)
        return tuple(
            name
            + (f"_mean_{format_duration(window)}" if window else "")
            + (f"_{format_duration(shift)}_before" if shift else "")
            for window in self.mean
            for shift in self.before
            for name in self.names
        )

    def reach(self, grid: Grid) -> Reach:
        shifts, windows = self._steps(grid)
        return Reach(lookback=max(shifts) + max(windows) - 1, known=frozenset(self.names))

    def build(self, frame: Frame) -> Var:
        grid = frame.grid
        values = frame.known(self.names)  # [B, L+H, k]
        shifts, windows = self._steps(grid)
        columns = [
            _average(values, frame.lookback - shift, grid.horizon, window)
            for window in windows
            for shift in shifts
        ]
        return columns[0] if len(columns) == 1 else op.concat(columns, axis=2)

    def _steps(self, grid: Grid) -> tuple[list[int], list[int]]:
        shifts = [grid.steps(shift, "recipe: known.before") for shift in self.before]
        windows = [grid.steps(window, "recipe: known.mean") or 1 for window in self.mean]
        return shifts, windows


def _average(values: Var, start: int, horizon: int, window: int) -> Var:
    """Average over the window up to each of the steps from ``start`` on, float32 [B, H, k]."""
    if window == 1:
        return cut(values, start, start + horizon)
    double = op.cast(values, to=np.float64)
    axis = const(1, np.int64)
    high = cut(op.cumsum(double, axis), start, start + horizon)
    first = start - window + 1
    low = cut(op.cumsum(double, axis, exclusive=1), first, first + horizon)
    return op.cast(op.div(op.sub(high, low), const(window, np.float64)), to=np.float32)
