"""Columns that are made of other columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op

from frugal_ai.features.column import Column, Part, Picker
from frugal_ai.features.frame import Frame, const


@dataclass(frozen=True)
class Minus(Column):
    """A column less another one."""

    of: Column
    less: Column
    rank: ClassVar[int] = 1

    @property
    def made_of(self) -> tuple[Column, ...]:
        """Both."""
        return self.of, self.less

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Subtract all at once."""
        less = [column.less for column in columns]
        taken = less[:1] if len(set(less)) == 1 else less
        return [(columns, op.sub(pick([column.of for column in columns]), pick(taken)))]


@dataclass(frozen=True)
class Beyond(Column):
    """How far a column is above a knot, 0 below it."""

    of: Column
    knot: float
    rank: ClassVar[int] = 2

    @property
    def made_of(self) -> tuple[Column, ...]:
        """The column."""
        return (self.of,)

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Subtract all knots at once."""
        knots = const([[column.knot] for column in columns], np.float32)
        return [(columns, op.relu(op.sub(pick([column.of for column in columns]), knots)))]


@dataclass(frozen=True)
class Times(Column):
    """A column times another one."""

    left: Column
    right: Column
    rank: ClassVar[int] = 3

    @property
    def made_of(self) -> tuple[Column, ...]:
        """Both."""
        return self.left, self.right

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Multiply all at once."""
        left, right = [column.left for column in columns], [column.right for column in columns]
        return [(columns, op.mul(pick(left), pick(right)))]
