"""Columns that are the same for every step of the horizon: what stood at the origin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from spox import Var

from frugal_ai.features.column import Column, Part, Picker, Reach
from frugal_ai.features.frame import TARGET, Frame, const, cut
from frugal_ai.features.grid import Grid

Stat = Literal["mean", "min", "max", "std"]


def _std(values: Var) -> Var:
    deviation = op.sub(values, op.reduce_mean(values, axes=[1]))
    return op.sqrt(op.reduce_mean(op.mul(deviation, deviation), axes=[1]))


_STATISTICS: dict[Stat, Callable[[Var], Var]] = {
    "mean": lambda values: op.reduce_mean(values, axes=[1]),
    "min": lambda values: op.reduce_min(values, axes=[1]),
    "max": lambda values: op.reduce_max(values, axes=[1]),
    "std": _std,
}


class AtOrigin(Column):
    """What is one number an origin."""

    @classmethod
    def kind(cls) -> type[Column]:
        """All of them are repeated over the horizon together."""
        return AtOrigin

    @classmethod
    def numbers(cls, columns: Sequence[Self], frame: Frame) -> "list[Numbers]":
        """Compute the numbers of one class."""
        raise NotImplementedError

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Repeat the numbers over the horizon."""
        kinds = dict.fromkeys(type(column) for column in columns)
        found = [
            numbers
            for kind in kinds
            for numbers in kind.numbers([c for c in columns if isinstance(c, kind)], frame)
        ]
        double = [values for _, values in found if _is_double(values)]
        single = [values for _, values in found if not _is_double(values)]
        if double:
            single.append(op.cast(_side_by_side(double), to=np.float32))
        found.sort(key=lambda numbers: _is_double(numbers[1]))  # as they are put side by side
        numbers = op.unsqueeze(_side_by_side(single), const([2], np.int64))
        shape = const([1, 1, frame.grid.horizon], np.int64)
        order = [column for some, _ in found for column in some]
        return [(order, op.expand(numbers, shape))]


Numbers = tuple[Sequence[AtOrigin], Var]  # [B, n], float32 or float64


def _is_double(values: Var) -> bool:
    return bool(values.unwrap_tensor().dtype == np.float64)


def _side_by_side(values: Sequence[Var]) -> Var:
    return values[0] if len(values) == 1 else op.concat(values, axis=1)


@dataclass(frozen=True)
class Newest(AtOrigin):
    """The k-th newest value of the target or of a past covariate; the newest is 1."""

    of: str
    k: int

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read so many steps."""
        return Reach(self.k, past=frozenset() if self.of == TARGET else frozenset({self.of}))

    @classmethod
    def numbers(cls, columns: Sequence[Self], frame: Frame) -> list[Numbers]:
        """Gather them signal by signal."""
        found: list[Numbers] = []
        for of in dict.fromkeys(column.of for column in columns):
            some = [column for column in columns if column.of == of]
            index = [frame.history_steps - column.k for column in some]
            found.append((some, op.gather(frame.signal(of), const(index, np.int32), axis=1)))
        return found


@dataclass(frozen=True)
class Over(AtOrigin):
    """A statistic of the last steps before the origin, of the target or of a past covariate."""

    of: str
    stat: Stat
    steps: int

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read so many steps."""
        return Reach(self.steps, past=frozenset() if self.of == TARGET else frozenset({self.of}))

    @classmethod
    def numbers(cls, columns: Sequence[Self], frame: Frame) -> list[Numbers]:
        """Compute them in double precision, all means of a signal from the same sums."""
        found: list[Numbers] = []
        for of in dict.fromkeys(column.of for column in columns):
            means = [column for column in columns if column.of == of and column.stat == "mean"]
            if len(means) > 1:
                windows = [column.steps for column in means]
                found.append((means, _means(_trailing(frame, of, max(windows)), windows)))
            for column in columns:
                if column.of == of and (column.stat != "mean" or len(means) == 1):
                    values = _trailing(frame, of, column.steps)
                    found.append(([column], _STATISTICS[column.stat](values)))
        return found


def _trailing(frame: Frame, of: str, steps: int) -> Var:
    """Cut the last steps before the origin, float64 [B, steps]; double keeps the sums exact."""
    return frame.once((of, "trailing", steps), lambda: trailing(frame, frame.signal(of), steps))


def trailing(frame: Frame, signal: Var, steps: int) -> Var:
    """Cut the last steps of a signal [B, N] before the origin, float64 [B, steps]."""
    recent = cut(signal, frame.history_steps - steps, frame.history_steps)
    return op.cast(recent, to=np.float64)


def _means(values: Var, windows: Sequence[int]) -> Var:
    """Average the last steps of values [B, N], for several windows at once [B, n]."""
    sums = op.cumsum(values, const(1, np.int64), reverse=1)  # from each step to the last
    starts = const([max(windows) - window for window in windows], np.int32)
    return op.div(op.gather(sums, starts, axis=1), const(windows, np.float64))


@dataclass(frozen=True)
class KnownBefore(AtOrigin):
    """Mean of a known covariate over the last steps before the origin."""

    name: str
    steps: int

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read so many steps of look-back."""
        return Reach(lookback=self.steps, known=frozenset({self.name}))

    @classmethod
    def numbers(cls, columns: Sequence[Self], frame: Frame) -> list[Numbers]:
        """Average them window by window."""
        found: list[Numbers] = []
        for steps in dict.fromkeys(column.steps for column in columns):
            some = [column for column in columns if column.steps == steps]
            signals = frame.known([column.name for column in some])  # [B, n, L+H]
            before = op.slice(
                signals,
                *(const([i], np.int64) for i in (frame.lookback - steps, frame.lookback, 2)),
            )
            double = op.cast(before, to=np.float64)
            found.append((some, op.reduce_mean(double, axes=[2], keepdims=0)))
        return found
