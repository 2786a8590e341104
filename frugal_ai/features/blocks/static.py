"""What does not change with time, such as an installed capacity."""

from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import MinLen
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid, position


class Static(Block):
    """Static covariates of the series, embedded as constants."""

    feature: Literal["static"]
    names: Annotated[tuple[str, ...], MinLen(1)]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for name in self.names:
            position(name, tuple(grid.static), "static")
        return self.names

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - reads no time
        return Reach(static=frozenset(self.names))

    def build(self, frame: Frame) -> Var:
        values = const([[[frame.grid.static[name] for name in self.names]]], np.float32)
        sizes = [op.shape(frame.inputs["origin"]), const([frame.grid.horizon, 1], np.int64)]
        return op.expand(values, op.concat(sizes, axis=0))
