"""Columns of known covariates at, before and after the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.column import Column, Part, Picker, Reach
from frugal_ai.features.columns.picks import IntArray, Pick, Signals, differences, picked, whole
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid

_WORTH_A_CUT = 3  # as many rows of one shift are cut out as a block


def _names(columns: Sequence["Ahead | Around | Trailing"], frame: Frame) -> list[str]:
    """Return their covariates in the order of the graph's input, then what is derived from it."""
    known, names = frame.grid.known_names, dict.fromkeys(column.name for column in columns)
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known))


def _signals(frame: Frame, names: Sequence[str]) -> Signals:
    return Signals(frame.known(names), len(names), frame.lookback + frame.grid.horizon)


def _at(frame: Frame, shifts: Sequence[int]) -> IntArray:
    """Return steps along known covariates [n, H]; the last one stands for those after it."""
    at = frame.lookback + np.arange(frame.grid.horizon) + np.array(shifts)[:, None]
    return np.asarray(np.minimum(at, frame.lookback + frame.grid.horizon - 1))


@dataclass(frozen=True)
class Ahead(Column):
    """A known covariate so many steps after the target, or before it where that is negative."""

    name: str
    shift: int

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read back by the shift."""
        return Reach(lookback=max(-self.shift, 0), known=frozenset({self.name}))

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Cut out shifts that many have in common and pick the others."""
        parts: list[Part] = []
        rest = list(columns)
        shifts = sorted({column.shift for column in columns})
        days = whole(_at(frame, shifts)) and len(shifts) > 1
        for shift in dict.fromkeys(column.shift for column in columns):
            some = [column for column in columns if column.shift == shift]
            if len(some) >= _WORTH_A_CUT and shift <= 0 and not days:
                names = _names(some, frame)
                some.sort(key=lambda column: names.index(column.name))
                parts.append((some, _cut(frame.known(names), frame, shift)))
                rest = [column for column in rest if column.shift != shift]
        if rest:
            names = _names(rest, frame)
            which = [names.index(column.name) for column in rest]
            at = _at(frame, [column.shift for column in rest])
            (rows,) = picked(_signals(frame, names), Pick(which, at))
            parts.append((rest, rows))
        return parts


def _cut(signals: Var, frame: Frame, shift: int) -> Var:
    """Cut the horizon, shifted back, out of known covariates [B, n, L+H]."""
    start = frame.lookback + shift
    ends = (start, start + frame.grid.horizon, 2)
    return op.slice(signals, *(const([i], np.int64) for i in ends))


@dataclass(frozen=True)
class Around(Column):
    """Mean of a known covariate from ``half`` steps before the target to as many after it."""

    name: str
    half: int

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read back by half the window."""
        return Reach(lookback=self.half, known=frozenset({self.name}))

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Pick the steps of a window for all covariates and average them."""
        parts: list[Part] = []
        for half in dict.fromkeys(column.half for column in columns):
            some = [column for column in columns if column.half == half]
            names, shifts = _names(some, frame), np.arange(-half, half + 1)
            which = [names.index(column.name) for column in some for _ in shifts]
            steps = Pick(which, _at(frame, np.tile(shifts, len(some)).tolist()))
            (near,) = picked(_signals(frame, names), steps)
            shape = const([-1, len(some), len(shifts), frame.grid.horizon], np.int64)
            parts.append((some, op.reduce_mean(op.reshape(near, shape), axes=[2], keepdims=0)))
        return parts


@dataclass(frozen=True)
class Trailing(Column):
    """Mean of a known covariate over a window that ends some steps before the target, or at it."""

    name: str
    before: int
    window: int

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read back by shift and window."""
        return Reach(lookback=self.before + self.window - 1, known=frozenset({self.name}))

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Subtract sums up to the start of each window from those up to its end."""
        names = _names(columns, frame)
        which = [names.index(column.name) for column in columns]
        windows = np.array([column.window for column in columns])[:, None]
        end = frame.lookback + 1 + np.arange(frame.grid.horizon)  # sums of so many steps
        at = end - np.array([column.before for column in columns])[:, None]  # [n, H]
        first, known = int((at - windows).min()), frame.known(names)
        if first:  # nothing before it is in any window
            ends = (first - 1, frame.lookback + frame.grid.horizon, 2)
            known = op.slice(known, *(const([i], np.int64) for i in ends))
        double = op.cast(known, to=np.float64)
        if not first:
            double = op.pad(double, const([0, 0, 1, 0, 0, 0], np.int64))
        length = frame.lookback + frame.grid.horizon + 1 - first
        sums = Signals(op.cumsum(double, const(2, np.int64)), len(names), length)
        picks = Pick(which, at - first), Pick(which, at - windows - first)
        return [(columns, op.cast(differences(sums, *picks, windows), to=np.float32))]
