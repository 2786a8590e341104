"""Covariates that are known over the horizon, such as a weather forecast."""

from datetime import timedelta
from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import MinLen
from numpy.typing import NDArray
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.frame import Frame, const, cut
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration

_NOW = timedelta(0)


class Known(Block):
    """Known covariates at the target, some time before or after it, and averaged around it.

    ``before`` shifts back from the target and ``after`` forward; ``mean`` averages over a window
    that ends with the interval that ``before`` leads to (``0d`` for the value itself), ``around``
    over one that has the target in its middle, ``origin`` over one that ends at the origin: what
    the weather was like that made the last observations. A weather forecast errs in time, so that
    its neighbouring hours tell something. Beyond the horizon its last value stands for later ones.
    """

    feature: Literal["known"]
    names: Annotated[tuple[str, ...], MinLen(1)]
    before: tuple[Duration, ...] = (_NOW,)
    after: tuple[Duration, ...] = ()
    mean: Annotated[tuple[Duration, ...], MinLen(1)] = (_NOW,)
    around: tuple[Duration, ...] = ()
    origin: tuple[Duration, ...] = ()

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for name in self.names:
            grid.base(name)
        self.reach(grid)
        trailing = [
            (f"_mean_{format_duration(window)}" if window else "")
            + (f"_{format_duration(shift)}_before" if shift else "")
            for window in self.mean
            for shift in self.before
        ]
        ahead = [f"_{format_duration(shift)}_after" for shift in self.after]
        centred = [f"_around_{format_duration(window)}" for window in self.around]
        recent = [f"_before_origin_{format_duration(window)}" for window in self.origin]
        ways = trailing + ahead + centred + recent
        return tuple(name + how for how in ways for name in self.names)

    def reach(self, grid: Grid) -> Reach:
        shifts, windows = self._steps(grid)
        for shift in self.after:
            grid.steps(shift, "recipe: known.after")
        lookback = max(shifts) + max(windows) - 1 if shifts else 0
        halves = [len(_middle(grid, window)) // 2 for window in self.around]
        recent = [grid.steps(window, "recipe: known.origin") for window in self.origin]
        return Reach(lookback=max([lookback, *halves, *recent]), known=frozenset(self.names))

    def build(self, frame: Frame) -> Var:
        grid = frame.grid
        values = frame.known(self.names)  # [B, L+H, k]
        shifts, windows = self._steps(grid)
        columns = [
            _average(values, frame.lookback - shift, grid.horizon, window)
            for window in windows
            for shift in shifts
        ]
        for shift in self.after:
            steps = np.array([grid.steps(shift, "recipe: known.after")])
            columns.append(_near(values, frame, steps))
        columns += [_near(values, frame, _middle(grid, window)) for window in self.around]
        columns += [
            _recent(values, frame, grid.steps(window, "recipe: known.origin"))
            for window in self.origin
        ]
        return columns[0] if len(columns) == 1 else op.concat(columns, axis=2)

    def _steps(self, grid: Grid) -> tuple[list[int], list[int]]:
        shifts = [grid.steps(shift, "recipe: known.before") for shift in self.before]
        windows = [grid.steps(window, "recipe: known.mean") or 1 for window in self.mean]
        return shifts, windows


def _middle(grid: Grid, window: timedelta) -> NDArray[np.int64]:
    """List the steps of a window relative to its middle, an odd number of them."""
    half = grid.steps(window, "recipe: known.around") // 2
    return np.arange(-half, half + 1)


def _near(values: Var, frame: Frame, steps: NDArray[np.int64]) -> Var:
    """Average over some steps relative to the target, float32 [B, H, k]."""
    at = frame.lookback + np.arange(frame.grid.horizon)[:, None] + steps  # [H, steps]
    last = frame.lookback + frame.grid.horizon - 1
    picked = [
        op.gather(values, const(np.minimum(column, last), np.int32), axis=1) for column in at.T
    ]
    total = picked[0]
    for one in picked[1:]:
        total = op.add(total, one)
    return op.mul(total, const(1 / len(picked), np.float32)) if len(picked) > 1 else total


def _recent(values: Var, frame: Frame, steps: int) -> Var:
    """Average over the last steps before the origin, float32 [B, H, k]."""
    double = op.cast(cut(values, frame.lookback - steps, frame.lookback), to=np.float64)
    return frame.spread(op.cast(op.reduce_mean(double, axes=[1], keepdims=0), to=np.float32))


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
