"""Days off around the target, from the table embedded in the graph."""

from typing import Annotated, Literal

from annotated_types import MaxLen, MinLen
from pydantic import Field

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.column import Column
from frugal_ai.features.columns.clock import OfDay
from frugal_ai.features.grid import Grid

Flag = Literal["holiday", "bridge", "yearend"]
Shift = Annotated[int, Field(ge=-7, le=35)]


class Holiday(Block):
    """Flags of the target's local day, and of days before (positive) or after it (negative)."""

    feature: Literal["holiday"]
    days_before: Annotated[tuple[Shift, ...], MinLen(1)] = (0,)
    flags: Annotated[tuple[Flag, ...], MinLen(1), MaxLen(3)] = ("holiday",)

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - counted in days and flags
        return tuple(
            flag if days == 0 else f"{flag}_{abs(days)}d_{'before' if days > 0 else 'after'}"
            for days in self.days_before
            for flag in self.flags
        )

    def expressions(self, grid: Grid) -> tuple[Column, ...]:  # noqa: ARG002 - of any grid
        return tuple(OfDay(flag, days) for days in self.days_before for flag in self.flags)
