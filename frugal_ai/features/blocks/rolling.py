"""Statistics of the last hours or days before the origin."""

from typing import Annotated, Literal

from annotated_types import MinLen

from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.column import Column
from frugal_ai.features.columns.origin import Over, Stat
from frugal_ai.features.frame import TARGET
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration


class Rolling(Block):
    """Mean, minimum, maximum or population standard deviation over windows up to the origin."""

    feature: Literal["rolling"]
    window: Annotated[tuple[Duration, ...], MinLen(1)]
    stats: Annotated[tuple[Stat, ...], MinLen(1)] = ("mean",)
    of: str = TARGET

    def columns(self, grid: Grid) -> tuple[str, ...]:
        prefix = "" if self.of == TARGET else f"{self.of}_"
        self._steps(grid)
        return tuple(
            f"{prefix}{stat}_{format_duration(window)}"
            for window in self.window
            for stat in self.stats
        )

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        return tuple(
            Over(self.of, stat, steps) for steps in self._steps(grid) for stat in self.stats
        )

    def _steps(self, grid: Grid) -> list[int]:
        steps = [grid.steps(window, "recipe: rolling.window") for window in self.window]
        if min(steps) < 1:
            raise PipelineError("recipe: rolling.window: expected at least one step, got 0d")
        return steps
