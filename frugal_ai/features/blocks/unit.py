"""Columns that turn what a model says into the unit of the series; no model learns from them."""

from typing import Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.blocks.base import BuiltBlock
from frugal_ai.features.blocks.sun import UnderTheSky
from frugal_ai.features.column import Column
from frugal_ai.features.columns.sky import OfSky
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid


class Unit(BuiltBlock):
    """What one unit of the grid is worth at the target [unit of the series]."""

    feature: Literal["unit"] = "unit"

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - one column
        return ("unit",)

    def build(self, frame: Frame) -> Var:
        return op.unsqueeze(frame.unit, const([2], np.int64))


class Daylight(UnderTheSky):
    """1 where the sun is up at some place and instant of the target interval, else 0."""

    feature: Literal["daylight"] = "daylight"

    def columns(self, grid: Grid) -> tuple[str, ...]:
        self.sites(grid)
        return ("daylight",)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        return (OfSky(self.sky(grid), "daylight"),)
