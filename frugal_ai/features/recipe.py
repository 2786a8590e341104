"""The recipe: which features a pipeline declares."""

from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import MinLen
from pydantic import Field
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.blocks.clock import Clock, Fourier, Horizon, Slot, Weekday
from frugal_ai.features.blocks.holiday import Holiday
from frugal_ai.features.blocks.known import Known
from frugal_ai.features.blocks.lag import Lag, Last
from frugal_ai.features.blocks.rolling import Rolling
from frugal_ai.features.blocks.static import Static
from frugal_ai.features.blocks.sun import Sun
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Settings

PlainBlock = (
    Lag
    | Last
    | Rolling
    | Horizon
    | Clock
    | Weekday
    | Slot
    | Fourier
    | Holiday
    | Known
    | Static
    | Sun
)


class Spline(Block):
    """A linear spline: each column of ``of``, and how far it is beyond each knot.

    With a temperature and knots at the heating and cooling limits these are degree-hours.
    """

    feature: Literal["spline"]
    of: Annotated[PlainBlock, Field(discriminator="feature")]
    knots: Annotated[tuple[float, ...], MinLen(1)]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        names = self.of.columns(grid)
        return names + tuple(f"{name}_above_{knot:g}" for name in names for knot in self.knots)

    def reach(self, grid: Grid) -> Reach:
        return self.of.reach(grid)

    def build(self, frame: Frame) -> Var:
        values = self.of.build(frame)  # [B, H, k]
        width = len(self.of.columns(frame.grid)) * len(self.knots)
        beyond = op.relu(
            op.sub(op.unsqueeze(values, const([3], np.int64)), const(self.knots, np.float32))
        )
        shape = const([-1, frame.grid.horizon, width], np.int64)
        return op.concat([values, op.reshape(beyond, shape)], axis=2)


class Product(Block):
    """Interactions: every column of ``of`` times every column of ``by``."""

    feature: Literal["product"]
    of: Annotated[PlainBlock | Spline, Field(discriminator="feature")]
    by: Annotated[PlainBlock | Spline, Field(discriminator="feature")]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        return tuple(
            f"{left}_x_{right}" for left in self.of.columns(grid) for right in self.by.columns(grid)
        )

    def reach(self, grid: Grid) -> Reach:
        return self.of.reach(grid) | self.by.reach(grid)

    def build(self, frame: Frame) -> Var:
        left = op.unsqueeze(self.of.build(frame), const([3], np.int64))  # [B, H, a, 1]
        right = op.unsqueeze(self.by.build(frame), const([2], np.int64))  # [B, H, 1, b]
        width = len(self.columns(frame.grid))
        return op.reshape(op.mul(left, right), const([-1, frame.grid.horizon, width], np.int64))


AnyBlock = Annotated[PlainBlock | Spline | Product, Field(discriminator="feature")]


class Recipe(Settings):
    """Declared features.

    ``features`` are what every learning rung sees; ``basis`` are transformations of them that a
    linear rung needs and trees find by themselves.
    """

    features: Annotated[tuple[AnyBlock, ...], MinLen(1)]
    basis: tuple[AnyBlock, ...] = ()
