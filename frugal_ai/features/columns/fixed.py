"""Columns that are the same for every origin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import spox.opset.ai.onnx.v17 as op

from frugal_ai.features.column import Column, Part, Picker, Reach
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid


class Fixed(Column):
    """Numbers that neither origin nor observations change."""

    def numbers(self, grid: Grid) -> tuple[float, ...]:
        """Return them, [H] or one for all steps."""
        raise NotImplementedError

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Repeat them for every origin."""
        horizon = frame.grid.horizon
        table = [np.broadcast_to(column.numbers(frame.grid), horizon) for column in columns]
        values = const(np.stack(table)[None], np.float32)
        return [(columns, op.expand(values, op.shape(frame.elapsed)))]


@dataclass(frozen=True)
class ByLead(Fixed):
    """Numbers by lead time, [H]."""

    values: tuple[float, ...]

    def numbers(self, grid: Grid) -> tuple[float, ...]:  # noqa: ARG002 - as they are
        """Return them."""
        return self.values


@dataclass(frozen=True)
class OfSeries(Fixed):
    """A static covariate."""

    name: str

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - reads no time
        """Read the covariate."""
        return Reach(static=frozenset({self.name}))

    def numbers(self, grid: Grid) -> tuple[float, ...]:
        """Return the value of the series."""
        return (grid.static[self.name],)
