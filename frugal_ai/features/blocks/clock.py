"""Where a target stands on the local clock and how far it is from the origin."""

from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, MinLen
from spox import Var

from frugal_ai.data.calendar import DAY_S
from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration

Period = Literal["day", "week", "year"]
# four years with one leap day; the phase of the year drifts by a day at most
_PERIOD_S: dict[Period, int] = {"day": DAY_S, "week": 7 * DAY_S, "year": 1461 * DAY_S // 4}
_MONDAY_S = 4 * DAY_S  # 1970-01-05 was a Monday


def _column(values: Var) -> Var:
    return op.unsqueeze(op.cast(values, to=np.float32), const([2], np.int64))


class Horizon(Block):
    """Lead time from the origin to the start of the target interval [h]."""

    feature: Literal["horizon"]

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - one column
        return ("lead_h",)

    def build(self, frame: Frame) -> Var:
        origin = op.unsqueeze(frame.inputs["origin"], const([1], np.int64))
        lead = op.cast(op.sub(frame.target, origin), to=np.float64)
        return _column(op.div(lead, const(3600.0, np.float64)))


class Decay(Block):
    """How much of what is seen at the origin is left at the target: exp(-lead time / over)."""

    feature: Literal["decay"]
    over: Annotated[tuple[Duration, ...], MinLen(1)]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for time in self.over:
            if grid.steps(time, "recipe: decay.over") < 1:
                raise PipelineError("recipe: decay.over: expected at least one step, got 0d")
        return tuple(f"decay_{format_duration(time)}" for time in self.over)

    def build(self, frame: Frame) -> Var:
        grid = frame.grid
        times = np.array([grid.steps(time, "recipe: decay.over") for time in self.over])
        left = np.exp(-np.arange(grid.horizon)[:, None] / times)  # [H, k]
        batch = op.unsqueeze(frame.target, const([2], np.int64))  # [B, H, 1]
        sizes = op.concat([op.shape(batch, end=2), const([len(times)], np.int64)], axis=0)
        return op.expand(const(left[None], np.float32), sizes)


class Clock(Block):
    """Local hour of the day, day of the week (Monday is 0) and day of the year, as numbers."""

    feature: Literal["clock"]

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - three columns
        return ("hour", "weekday", "day_of_year")

    def build(self, frame: Frame) -> Var:
        hour = op.div(op.cast(frame.second_of_day, to=np.float64), const(3600.0, np.float64))
        second = op.mod(frame.local, const(_PERIOD_S["year"], np.int64))
        day = op.div(second, const(DAY_S, np.int64))
        return op.concat([_column(hour), _column(frame.weekday), _column(day)], axis=2)


class Weekday(Block):
    """One indicator for each local day of the week, Monday first."""

    feature: Literal["weekday"]

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - seven columns
        return tuple(f"weekday_{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))

    def build(self, frame: Frame) -> Var:
        weekday = op.unsqueeze(frame.weekday, const([2], np.int64))
        return op.cast(op.equal(weekday, const(np.arange(7), np.int64)), to=np.float32)


class Slot(Block):
    """Index of the target's step in the local day or week, for tables."""

    feature: Literal["slot"]
    period: Literal["day", "week"] = "week"

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - one column
        return (f"slot_of_{self.period}",)

    def build(self, frame: Frame) -> Var:
        since = op.sub(frame.local, const(_MONDAY_S, np.int64))
        second = op.mod(since, const(_PERIOD_S[self.period], np.int64))
        return _column(op.div(second, const(frame.grid.step_s, np.int64)))


class Fourier(Block):
    """Sine and cosine of the local day, week or year.

    The year is 365.25 days long and starts at 1 January 1970.
    """

    feature: Literal["fourier"]
    period: Period
    harmonics: Annotated[int, Ge(1)] = 2

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - counted in harmonics
        return tuple(
            f"{wave}_{self.period}_{k}"
            for wave in ("sin", "cos")
            for k in range(1, self.harmonics + 1)
        )

    def build(self, frame: Frame) -> Var:
        period = _PERIOD_S[self.period]
        since = op.sub(frame.local, const(_MONDAY_S if self.period == "week" else 0, np.int64))
        second = op.cast(op.mod(since, const(period, np.int64)), to=np.float64)
        harmonics = np.arange(1, self.harmonics + 1)
        turn = 2 * np.pi * np.concatenate([harmonics, harmonics]) / period
        quarter = np.repeat([0.0, np.pi / 2], self.harmonics)  # cos x = sin(x + pi / 2)
        angle = op.add(
            op.mul(op.unsqueeze(second, const([2], np.int64)), const(turn, np.float64)),
            const(quarter, np.float64),
        )
        return op.cast(op.sin(angle), to=np.float32)
