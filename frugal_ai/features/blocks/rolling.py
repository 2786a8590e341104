"""Statistics of the last hours or days before the origin."""

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import MinLen
from spox import Var

from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.frame import TARGET, Frame, cut
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration

Statistic = Literal["mean", "min", "max", "std"]


def covariates(of: str) -> frozenset[str]:
    """Return the past covariate that a signal is, or none for the target."""
    return frozenset() if of == TARGET else frozenset({of})


def trailing(frame: Frame, signal: Var, window: int) -> Var:
    """Cut the last steps before the origin, float64 [B, window]; double keeps the sums exact."""
    recent = cut(signal, frame.history_steps - window, frame.history_steps)
    return op.cast(recent, to=np.float64)


def _std(values: Var) -> Var:
    deviation = op.sub(values, op.reduce_mean(values, axes=[1]))
    return op.sqrt(op.reduce_mean(op.mul(deviation, deviation), axes=[1]))


_STATISTICS: dict[Statistic, Callable[[Var], Var]] = {
    "mean": lambda values: op.reduce_mean(values, axes=[1]),
    "min": lambda values: op.reduce_min(values, axes=[1]),
    "max": lambda values: op.reduce_max(values, axes=[1]),
    "std": _std,
}


class Rolling(Block):
    """Mean, minimum, maximum or population standard deviation over windows up to the origin."""

    feature: Literal["rolling"]
    window: Annotated[tuple[Duration, ...], MinLen(1)]
    stats: Annotated[tuple[Statistic, ...], MinLen(1)] = ("mean",)
    of: str = TARGET

    def columns(self, grid: Grid) -> tuple[str, ...]:
        prefix = "" if self.of == TARGET else f"{self.of}_"
        self.reach(grid)
        return tuple(
            f"{prefix}{stat}_{format_duration(window)}"
            for window in self.window
            for stat in self.stats
        )

    def reach(self, grid: Grid) -> Reach:
        steps = [grid.steps(window, "recipe: rolling.window") for window in self.window]
        if min(steps) < 1:
            raise PipelineError("recipe: rolling.window: expected at least one step, got 0d")
        return Reach(max(steps), past=covariates(self.of))

    def build(self, frame: Frame) -> Var:
        signal = frame.signal(self.of)
        columns = []
        for window in self.window:
            values = trailing(frame, signal, frame.grid.steps(window, "recipe: rolling.window"))
            columns += [_STATISTICS[stat](values) for stat in self.stats]  # [B, 1] each
        return frame.spread(op.cast(op.concat(columns, axis=1), to=np.float32))
