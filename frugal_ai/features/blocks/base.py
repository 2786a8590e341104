"""The contract of a feature block."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.column import Column, Part, Picker, Reach, reach_of
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Settings

__all__ = ["Block", "BuiltBlock", "Reach"]


class Block(Settings, ABC):
    """A few columns of the feature matrix, declared in a recipe and built as graph nodes."""

    @abstractmethod
    def columns(self, grid: Grid) -> tuple[str, ...]:
        """Name the block's columns, in order.

        Raises
        ------
        PipelineError
            If a setting does not fit the grid.
        """

    @abstractmethod
    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        """Say what each of the columns is."""

    def reach(self, grid: Grid) -> Reach:
        """Say what the block reads."""
        return reach_of(self.expressions(grid), grid)


class BuiltBlock(Block, ABC):
    """A block that builds all of its columns together, with nodes of its own."""

    @abstractmethod
    def build(self, frame: Frame) -> Var:
        """Build the columns, float32 [B, H, k]."""

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - most of them read no values
        """Say what the block reads."""
        return Reach()

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        """Say of each column that it is one of the block."""
        return tuple(Built(self, index) for index in range(len(self.columns(grid))))


@dataclass(frozen=True)
class Built(Column):
    """A column of a block that builds its own."""

    block: BuiltBlock
    index: int

    def reach(self, grid: Grid) -> Reach:
        """Read what the block reads."""
        return self.block.reach(grid)

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Build each block once and take the columns that are asked for."""
        parts: list[Part] = []
        for block in dict.fromkeys(column.block for column in columns):
            some = [column for column in columns if column.block == block]
            values = op.transpose(block.build(frame), perm=[0, 2, 1])
            index = [column.index for column in some]
            if index != list(range(len(block.columns(frame.grid)))):
                values = op.gather(values, const(index, np.int32), axis=1)
            parts.append((some, values))
        return parts
