"""Days off around the target, from the table embedded in the graph."""

from typing import Annotated, Literal

from annotated_types import MaxLen, MinLen
from pydantic import Field
from spox import Var

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import Frame
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

    def build(self, frame: Frame) -> Var:
        return frame.day_flags(self.days_before, self.flags)
