"""The recipe: which features a pipeline declares."""

from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge, MinLen
from pydantic import Field, model_validator

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.clock import Clock, Decay, Fourier, Horizon, Slot, Weekday
from frugal_ai.features.blocks.daily import Daily
from frugal_ai.features.blocks.holiday import Holiday
from frugal_ai.features.blocks.known import Known
from frugal_ai.features.blocks.lag import Lag, Last
from frugal_ai.features.blocks.rolling import Rolling
from frugal_ai.features.blocks.static import Static
from frugal_ai.features.blocks.sun import ClearSkyLevel, Sun
from frugal_ai.features.column import Column
from frugal_ai.features.columns.combined import Beyond, Times
from frugal_ai.features.derived import AnyDerived
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Settings

PlainBlock = (
    Lag
    | Last
    | Rolling
    | Daily
    | Horizon
    | Decay
    | Clock
    | Weekday
    | Slot
    | Fourier
    | Holiday
    | Known
    | Static
    | Sun
    | ClearSkyLevel
)


class Spline(Block):
    """A linear spline: each column of ``of``, and how far it is beyond each knot.

    With a temperature and knots at the heating and cooling limits these are degree-hours. Instead
    of ``knots`` there may be a number of ``pieces``: then the knots stand in the middle of so many
    equal shares of what a known covariate was in training.
    """

    feature: Literal["spline"]
    of: Annotated[PlainBlock, Field(discriminator="feature")]
    knots: tuple[float, ...] = ()
    pieces: Annotated[int, Ge(1)] | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.knots) == (self.pieces is not None):
            raise ValueError("expected knots or a number of pieces, one of the two")
        if self.pieces and not isinstance(self.of, Known):
            raise ValueError("expected knots for what is not a known covariate, got pieces")
        return self

    def columns(self, grid: Grid) -> tuple[str, ...]:
        names = self.of.columns(grid)
        if self.knots:
            return names + tuple(f"{name}_above_{knot:g}" for name in names for knot in self.knots)
        knots = range(1, (self.pieces or 0) + 1)
        return names + tuple(f"{name}_above_knot_{knot}" for name in names for knot in knots)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        values = self.of.expressions(grid)
        knots = self._table(grid, len(values))
        above = [Beyond(of, knot) for of, row in zip(values, knots, strict=True) for knot in row]
        return (*values, *above)

    def _table(self, grid: Grid, width: int) -> list[list[float]]:
        """Return the knots of each column, [k][knots]."""
        if not isinstance(self.of, Known) or self.pieces is None:
            return [list(self.knots)] * width
        middles = (np.arange(self.pieces) + 0.5) / self.pieces
        tables = [grid.quantiles(name, middles).tolist() for name in self.of.names]
        return tables * (width // len(tables))


class Product(Block):
    """Interactions: every column of ``of`` times every column of ``by``."""

    feature: Literal["product"]
    of: "AnyBlock"
    by: "AnyBlock"

    def columns(self, grid: Grid) -> tuple[str, ...]:
        return tuple(
            f"{left}_x_{right}" for left in self.of.columns(grid) for right in self.by.columns(grid)
        )

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        return tuple(
            Times(left, right)
            for left in self.of.expressions(grid)
            for right in self.by.expressions(grid)
        )


AnyBlock = Annotated[PlainBlock | Spline | Product, Field(discriminator="feature")]


class Recipe(Settings):
    """Declared features.

    ``features`` are what every learning rung sees; ``basis`` are transformations of them that a
    linear rung needs and trees find by themselves; ``derived`` are signals that both may read like
    known covariates.
    """

    features: Annotated[tuple[AnyBlock, ...], MinLen(1)]
    basis: tuple[AnyBlock, ...] = ()
    derived: dict[str, AnyDerived] = Field(default_factory=dict)
