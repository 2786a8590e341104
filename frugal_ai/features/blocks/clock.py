"""Where a target stands on the local clock and how far it is from the origin."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, MinLen

from frugal_ai.data.calendar import DAY_S
from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.column import Column
from frugal_ai.features.columns.clock import OfDay, Period, Ticks, Wave
from frugal_ai.features.columns.fixed import ByLead
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration

_WAVES: tuple[Literal["sin", "cos"], ...] = ("sin", "cos")


class Horizon(Block):
    """Lead time from the origin to the start of the target interval [h]."""

    feature: Literal["horizon"]

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - one column
        return ("lead_h",)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        lead = np.arange(grid.horizon) * grid.step_s / 3600
        return (ByLead(tuple(lead.tolist())),)


class Decay(Block):
    """How much of what is seen at the origin is left at the target: exp(-lead time / over)."""

    feature: Literal["decay"]
    over: Annotated[tuple[Duration, ...], MinLen(1)]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for time in self.over:
            if grid.steps(time, "recipe: decay.over") < 1:
                raise PipelineError("recipe: decay.over: expected at least one step, got 0d")
        return tuple(f"decay_{format_duration(time)}" for time in self.over)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        times = [grid.steps(time, "recipe: decay.over") for time in self.over]
        left = [np.exp(-np.arange(grid.horizon) / time) for time in times]
        return tuple(ByLead(tuple(one.tolist())) for one in left)


class Clock(Block):
    """Local hour of the day, day of the week (Monday is 0) and day of the year, as numbers."""

    feature: Literal["clock"]

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - three columns
        return ("hour", "weekday", "day_of_year")

    def expressions(self, grid: Grid) -> tuple[Column, ...]:  # noqa: ARG002 - of any grid
        return (Ticks("day", 1, 3600), OfDay("number"), Ticks("year", DAY_S, DAY_S))


class Weekday(Block):
    """One indicator for each local day of the week, Monday first."""

    feature: Literal["weekday"]

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - seven columns
        return tuple(f"weekday_{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))

    def expressions(self, grid: Grid) -> tuple[Column, ...]:  # noqa: ARG002 - of any grid
        return tuple(OfDay("weekday", day) for day in range(7))


class Slot(Block):
    """Index of the target's step in the local day or week, for tables."""

    feature: Literal["slot"]
    period: Literal["day", "week"] = "week"

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - one column
        return (f"slot_of_{self.period}",)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        return (Ticks(self.period, grid.step_s, grid.step_s),)


class Fourier(Block):
    """Sine and cosine of the local day, week or year.

    The year is 365.25 days long and starts at 1 January 1970.
    """

    feature: Literal["fourier"]
    period: Period
    harmonics: Annotated[int, Ge(1)] = 2

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - counted in harmonics
        return tuple(
            f"{wave}_{self.period}_{k}" for wave in _WAVES for k in range(1, self.harmonics + 1)
        )

    def expressions(self, grid: Grid) -> tuple[Column, ...]:  # noqa: ARG002 - of any grid
        return tuple(
            Wave(self.period, wave, k) for wave in _WAVES for k in range(1, self.harmonics + 1)
        )
