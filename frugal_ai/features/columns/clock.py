"""Columns of the local clock and calendar at the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.data.calendar import DAY_S, WEEK_S
from frugal_ai.features.column import Column, Part, Picker
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import DAY_FLAGS

IntArray = NDArray[np.int64]
Period = Literal["day", "week", "year"]
# four years with one leap day; the phase of the year drifts by a day at most
PERIOD_S: dict[Period, int] = {"day": DAY_S, "week": WEEK_S, "year": 1461 * DAY_S // 4}

_STEPS = 2.0**23  # of a sine between 0 and 1, as fine as float32


@dataclass(frozen=True)
class Ticks(Column):
    """Whole ``tick`` [s] since the local day, week or year began, counted in ``unit`` [s]."""

    period: Period
    tick: int
    unit: int

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Count in whole seconds and divide at the end, which is exact where the result is."""
        start = [[_start(column.period, frame)] for column in columns]
        period = [[PERIOD_S[column.period]] for column in columns]
        tick = [[column.tick] for column in columns]
        unit = [[column.unit // column.tick] for column in columns]
        since = frame.elapsed
        if any(map(any, start)):
            since = op.add(since, const(start, np.int64))
        second = op.mod(since, const(period, np.int64))
        count = op.cast(op.div(second, const(tick, np.int64)), to=np.float32)
        return [(columns, op.div(count, const(unit, np.float32)))]


def _start(period: Period, frame: Frame) -> int:
    """Return how far into a period the first Monday is [s]; days and weeks begin with it."""
    return frame.monday * DAY_S % PERIOD_S[period] if period == "year" else 0


@dataclass(frozen=True)
class Wave(Column):
    """Sine or cosine of the local day, week or year, so many times in it."""

    period: Period
    wave: Literal["sin", "cos"]
    times: int

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Compute all angles at once; double precision holds them to 1e-12 for decades."""
        turn = [2 * np.pi * column.times / PERIOD_S[column.period] for column in columns]
        start = [_start(column.period, frame) for column in columns]
        quarter = [np.pi / 2 if column.wave == "cos" else 0.0 for column in columns]
        phase = np.array(turn) * np.array(start) + np.array(quarter)
        seconds = op.cast(frame.elapsed, to=np.float64)
        angle = op.add(
            op.mul(seconds, const(np.array(turn)[:, None], np.float64)),
            const(phase[:, None], np.float64),
        )
        # what is zero on paper is zero: trees would split on the sign of its last digit
        steps = op.round(op.mul(op.sin(angle), const(_STEPS, np.float64)))
        return [(columns, op.mul(op.cast(steps, to=np.float32), const(1 / _STEPS, np.float32)))]


@dataclass(frozen=True)
class OfDay(Column):
    """What holds for a whole local day.

    The day of the week (Monday is 0), whether it is the weekday of a ``number``, or a flag of
    the day so many days before, of those in ``DAY_FLAGS``.
    """

    what: str
    number: int = 0

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Look up all that holds for a day in one table."""
        week = [column for column in columns if column.what not in DAY_FLAGS]
        flags = [column for column in columns if column.what in DAY_FLAGS]
        day = op.squeeze(op.div(frame.elapsed, const(DAY_S, np.int64)), const([1], np.int64))
        codes, kinds = _flagged(flags, frame)  # [D], [kinds, flags]
        weekly = len(kinds) == 1
        row = op.mod(day, const(7, np.int64)) if weekly else op.gather(_rows(codes), day)
        values = op.gather(_table(kinds, week), row)  # [B, H, n]
        return [([*flags, *week], op.transpose(values, perm=[0, 2, 1]))]


def _table(kinds: IntArray, week: Sequence[OfDay]) -> Var:
    """Return the columns of each kind of day [kinds, flags] on each weekday, [kinds * 7, n]."""
    parts = []
    if kinds.shape[1]:
        parts.append(op.expand(const(kinds[:, None], np.uint8), const([1, 7, 1], np.int64)))
    if week:
        of_week = [[_on(column, day) for column in week] for day in range(7)]
        parts.append(op.expand(const([of_week], np.uint8), const([len(kinds), 1, 1], np.int64)))
    table = parts[0] if len(parts) == 1 else op.concat(parts, axis=2)
    flat = op.reshape(table, const([-1, kinds.shape[1] + len(week)], np.int64))
    return op.cast(flat, to=np.float32)


def _on(column: OfDay, weekday: int) -> int:
    """Return what a column that repeats every week is on a weekday."""
    return weekday if column.what == "number" else int(weekday == column.number)


def _flagged(columns: Sequence[OfDay], frame: Frame) -> tuple[IntArray, IntArray]:
    """Tell the days from the first Monday on apart by their flags.

    Returns
    -------
    codes : IntArray
        Kind of each day [D]; 0 has no flag.
    kinds : IntArray
        Flags of each kind [kinds, flags].
    """
    codes = frame.grid.day_codes
    day = np.arange(len(codes) + frame.grid.first_day - frame.monday) + frame.monday
    flags = np.zeros((len(day) + 1, len(columns)), np.int64)  # after the last day one without flags
    for j, column in enumerate(columns):
        # no valid target is so near to the ends that what lies beyond them matters
        at = np.clip(day - column.number - frame.grid.first_day, 0, len(codes) - 1)
        flags[:-1, j] = codes[at] >> DAY_FLAGS.index(column.what) & 1
    kinds, found = np.unique(flags, axis=0, return_inverse=True)
    return found.reshape(-1)[:-1], kinds


def _rows(codes: IntArray) -> Var:
    """Return the row of the table for each day from a Monday on, int32 [D].

    Few days have a flag: the graph holds these, each by its distance from the one before, and
    makes all rows of them when it is opened.
    """
    flagged = np.flatnonzero(codes)
    gaps = np.diff(flagged, prepend=0)
    at = op.cumsum(op.cast(const(gaps, np.min_scalar_type(gaps.max())), to=np.int32), _first())
    kind = const(codes[flagged], np.min_scalar_type(codes.max()))
    none = op.expand(const([0], np.int32), const([len(codes)], np.int64))
    kinds = op.scatter_elements(none, at, op.cast(kind, to=np.int32), axis=0)
    days = op.range(*(const(i, np.int32) for i in (0, len(codes), 1)))
    seven = const(7, np.int32)
    return op.add(op.mul(kinds, seven), op.mod(days, seven))


def _first() -> Var:
    return const(0, np.int64)
