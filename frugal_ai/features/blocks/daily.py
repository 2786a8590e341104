"""What the series did at the same time of day on the last days."""

from typing import Annotated, Literal

from annotated_types import Ge, MinLen

from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.lag import known_lag
from frugal_ai.features.column import Column
from frugal_ai.features.columns.past import OverDays
from frugal_ai.features.frame import TARGET
from frugal_ai.features.grid import Grid


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

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        day = DAY_S // grid.step_s
        newest = known_lag(day, grid.horizon, day)  # [H]
        lags = [tuple((newest + day * back).tolist()) for back in range(max(self.days))]
        return tuple(
            OverDays(self.of, stat, tuple(lags[:days])) for days in self.days for stat in self.stats
        )
