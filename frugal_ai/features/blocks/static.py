"""What does not change with time, such as an installed capacity."""

from typing import Annotated, Literal

from annotated_types import MinLen

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.column import Column
from frugal_ai.features.columns.fixed import OfSeries
from frugal_ai.features.grid import Grid, position


class Static(Block):
    """Static covariates of the series, embedded as constants."""

    feature: Literal["static"]
    names: Annotated[tuple[str, ...], MinLen(1)]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for name in self.names:
            position(name, tuple(grid.static), "static")
        return self.names

    def expressions(self, grid: Grid) -> tuple[Column, ...]:  # noqa: ARG002 - of any grid
        return tuple(OfSeries(name) for name in self.names)
