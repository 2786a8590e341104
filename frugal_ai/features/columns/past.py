"""Columns of what the target or a past covariate was before the origin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.column import Column, Part, Picker, Reach
from frugal_ai.features.columns.picks import IntArray, Pick, Signals, picked
from frugal_ai.features.frame import TARGET, Frame
from frugal_ai.features.grid import Grid

_OVER_DAYS = {"mean": op.reduce_mean, "min": op.reduce_min, "max": op.reduce_max}


def _past(of: str) -> frozenset[str]:
    return frozenset() if of == TARGET else frozenset({of})


def _signal(frame: Frame, of: str) -> Signals:
    return Signals(frame.signal(of), 1, frame.history_steps)


def _at(frame: Frame, lags: Sequence[Sequence[int]]) -> IntArray:
    """Return steps of the history [n, H] that are some lags [n][H] before the targets."""
    return np.asarray(frame.history_steps + np.arange(frame.grid.horizon) - np.array(lags))


@dataclass(frozen=True)
class Seen(Column):
    """What was seen some steps before each target; ``lags`` [H] are beyond the origin's lead."""

    of: str
    lags: tuple[int, ...]

    def reach(self, grid: Grid) -> Reach:
        """Read back to the longest lag."""
        return Reach(
            int((np.array(self.lags) - np.arange(grid.horizon)).max()), past=_past(self.of)
        )

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Pick them signal by signal."""
        parts: list[Part] = []
        for of in dict.fromkeys(column.of for column in columns):
            some = [column for column in columns if column.of == of]
            at = _at(frame, [column.lags for column in some])
            (rows,) = picked(_signal(frame, of), Pick([0] * len(some), at))
            parts.append((some, rows))
        return parts


@dataclass(frozen=True)
class OverDays(Column):
    """A statistic over what was seen at several lags of each target, ``lags`` [days][H]."""

    of: str
    stat: Literal["mean", "min", "max"]
    lags: tuple[tuple[int, ...], ...]

    def reach(self, grid: Grid) -> Reach:
        """Read back to the longest lag."""
        return Reach(
            int((np.array(self.lags) - np.arange(grid.horizon)).max()), past=_past(self.of)
        )

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Reduce the values of all days, which several statistics share."""

        def seen(column: Self) -> Callable[[], Var]:
            pick = Pick([0] * len(column.lags), _at(frame, column.lags))
            return lambda: picked(_signal(frame, column.of), pick)[0]  # [B, days, H]

        parts: list[Part] = []
        for column in columns:
            values = frame.once((column.of, column.lags), seen(column))
            parts.append(([column], _OVER_DAYS[column.stat](values, axes=[1], keepdims=1)))
        return parts
