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

    @property
    def source(self) -> type["AtOrigin"]:
        """Class whose `numbers` computes it together with others."""
        return type(self)

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
        sources = dict.fromkeys(column.source for column in columns)
        found = [
            numbers
            for source in sources
            for numbers in source.numbers([c for c in columns if c.source is source], frame)
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


class OfSignal(AtOrigin):
    """A number of the last steps before the origin, of the target or of a past covariate."""

    of: str
    steps: int

    @property
    def source(self) -> type[AtOrigin]:
        """All that reads the same signal."""
        return OfSignal

    @property
    def sums(self) -> tuple[int, int] | None:
        """Say between which steps before the origin it is a sum, over the number of these."""
        return None

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - counted in steps
        """Read so many steps."""
        return Reach(self.steps, past=frozenset() if self.of == TARGET else frozenset({self.of}))

    @classmethod
    def numbers(cls, columns: Sequence[Self], frame: Frame) -> list[Numbers]:
        """Compute them signal by signal; all that is made of sums from the same ones."""
        found: list[Numbers] = []
        for of in dict.fromkeys(column.of for column in columns):
            some = [column for column in columns if column.of == of]
            summed = [column for column in some if column.sums]
            if all(isinstance(column, Newest) for column in summed):
                index = [frame.history_steps - column.steps for column in summed]
                picked = op.gather(frame.signal(of), const(index, np.int32), axis=1)
                found += [(summed, picked)] if summed else []
            elif len(summed) > 1:
                found.append((summed, _between(summed, frame)))
            alone = [column for column in some if isinstance(column, Over)]
            for column in alone if len(summed) == 1 else [c for c in alone if c not in summed]:
                values = _trailing(frame, of, column.steps)
                found.append(([column], _STATISTICS[column.stat](values)))
        return found


@dataclass(frozen=True)
class Newest(OfSignal):
    """The k-th newest value of the target or of a past covariate; the newest is 1."""

    of: str
    steps: int

    @property
    def sums(self) -> tuple[int, int]:
        """Say that it is one step."""
        return self.steps, self.steps - 1


@dataclass(frozen=True)
class Over(OfSignal):
    """A statistic of the last steps before the origin, of the target or of a past covariate."""

    of: str
    stat: Stat
    steps: int

    @property
    def sums(self) -> tuple[int, int] | None:
        """Say so of a mean."""
        return (self.steps, 0) if self.stat == "mean" else None


def _between(columns: Sequence[OfSignal], frame: Frame) -> Var:
    """Average between steps before the origin, all from the same sums up to it, float64 [B, n]."""
    ends = np.array([column.sums for column in columns])  # [n, from and to]
    starts = np.unique(ends[ends > 0])[::-1]
    values = _trailing(frame, columns[0].of, int(starts[0]))
    sums = op.cumsum(values, const(1, np.int64), reverse=1)  # from each step to the last
    picked = op.gather(sums, const(starts[0] - starts, np.int32), axis=1)
    signs = (starts[:, None] == ends[:, 0]) * 1.0 - (starts[:, None] == ends[:, 1])
    steps = const(ends[:, 0] - ends[:, 1], np.float64)
    return op.matmul(picked, op.div(const(signs, np.float64), steps))


def _trailing(frame: Frame, of: str, steps: int) -> Var:
    """Cut the last steps before the origin, float64 [B, steps]; double keeps the sums exact."""
    return frame.once((of, "trailing", steps), lambda: trailing(frame, frame.signal(of), steps))


def trailing(frame: Frame, signal: Var, steps: int) -> Var:
    """Cut the last steps of a signal [B, N] before the origin, float64 [B, steps]."""
    recent = cut(signal, frame.history_steps - steps, frame.history_steps)
    return op.cast(recent, to=np.float64)


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
