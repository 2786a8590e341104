"""The recipe: which features a pipeline declares."""

from typing import Annotated, Literal, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, MinLen
from numpy.typing import NDArray
from pydantic import Field, model_validator
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.blocks.clock import Clock, Decay, Fourier, Horizon, Slot, Weekday
from frugal_ai.features.blocks.daily import Daily
from frugal_ai.features.blocks.holiday import Holiday
from frugal_ai.features.blocks.known import Known
from frugal_ai.features.blocks.lag import Lag, Last
from frugal_ai.features.blocks.rolling import Rolling
from frugal_ai.features.blocks.static import Static
from frugal_ai.features.blocks.sun import ClearSkyLevel, Sun
from frugal_ai.features.derived import AnyDerived
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Settings

FloatArray = NDArray[np.float64]

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

    def reach(self, grid: Grid) -> Reach:
        return self.of.reach(grid)

    def build(self, frame: Frame) -> Var:
        values = self.of.on(frame)  # [B, H, k]
        knots = self._table(frame.grid, len(self.of.columns(frame.grid)))
        width = knots.size
        beyond = op.relu(
            op.sub(op.unsqueeze(values, const([3], np.int64)), const(knots, np.float32))
        )
        shape = const([-1, frame.grid.horizon, width], np.int64)
        return op.concat([values, op.reshape(beyond, shape)], axis=2)

    def _table(self, grid: Grid, width: int) -> FloatArray:
        """Return the knots of each column, [k, knots]."""
        if not isinstance(self.of, Known) or self.pieces is None:
            return np.tile(np.array(self.knots), (width, 1))
        middles = (np.arange(self.pieces) + 0.5) / self.pieces
        tables = np.stack([grid.quantiles(name, middles) for name in self.of.names])
        return np.tile(tables, (width // len(tables), 1))


class Product(Block):
    """Interactions: every column of ``of`` times every column of ``by``."""

    feature: Literal["product"]
    of: "AnyBlock"
    by: "AnyBlock"

    def columns(self, grid: Grid) -> tuple[str, ...]:
        return tuple(
            f"{left}_x_{right}" for left in self.of.columns(grid) for right in self.by.columns(grid)
        )

    def reach(self, grid: Grid) -> Reach:
        return self.of.reach(grid) | self.by.reach(grid)

    def build(self, frame: Frame) -> Var:
        left = op.unsqueeze(self.of.on(frame), const([3], np.int64))  # [B, H, a, 1]
        right = op.unsqueeze(self.by.on(frame), const([2], np.int64))  # [B, H, 1, b]
        width = len(self.columns(frame.grid))
        return op.reshape(op.mul(left, right), const([-1, frame.grid.horizon, width], np.int64))


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
