"""What the series itself, or a past covariate, did before the origin."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, MinLen

from frugal_ai.data.calendar import DAY_S, WEEK_S
from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.column import Column
from frugal_ai.features.columns.combined import Minus
from frugal_ai.features.columns.origin import Newest, Over
from frugal_ai.features.columns.past import Seen
from frugal_ai.features.frame import TARGET
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration


def known_lag(lag: int, horizon: int, period: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Lengthen a lag by whole periods where the lagged value is not known at the origin.

    Parameters
    ----------
    lag, period
        Lag and what it is lengthened by [steps].
    horizon
        Number of target steps, H.

    Returns
    -------
    ndarray
        Lag of each target step [H]; the one of step h is greater than h.
    """
    lead = np.arange(horizon)
    missing = np.maximum(lead + 1 - lag, 0)
    return lag + -(-missing // period) * period


class Lag(Block):
    """The value at the same time some days before, or the latest such value that is known.

    A lag that reaches past the origin is lengthened: by weeks when it is whole weeks, by days when
    it is whole days, else by itself. ``minus_mean`` takes the mean of that window before the origin
    away, which leaves the shape and removes the level.
    """

    feature: Literal["lag"]
    at: Annotated[tuple[Duration, ...], MinLen(1)]
    of: str = TARGET
    minus_mean: Duration | None = None

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for lag in self.at:
            if grid.steps(lag, "recipe: lag.at") < 1:
                raise PipelineError("recipe: lag.at: expected at least one step, got 0d")
        prefix = "" if self.of == TARGET else f"{self.of}_"
        suffix = f"_minus_mean_{format_duration(self.minus_mean)}" if self.minus_mean else ""
        return tuple(f"{prefix}lag_{format_duration(lag)}{suffix}" for lag in self.at)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        seen = [Seen(self.of, tuple(lags.tolist())) for lags in self._lags(grid).T]
        if self.minus_mean is None:
            return tuple(seen)
        window = grid.steps(self.minus_mean, "recipe: lag.minus_mean")
        return tuple(Minus(one, Over(self.of, "mean", window)) for one in seen)

    def _lags(self, grid: Grid) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        columns = []
        for lag in self.at:
            seconds = int(lag.total_seconds())
            unit = next((s for s in (WEEK_S, DAY_S) if seconds % s == 0), seconds)
            steps = grid.steps(lag, "recipe: lag.at")
            columns.append(known_lag(steps, grid.horizon, unit // grid.step_s))
        return np.stack(columns, axis=1)  # [H, k]


class Last(Block):
    """The last observed values before the origin, newest first."""

    feature: Literal["last"]
    steps: Annotated[int, Ge(1)] = 1
    of: str = TARGET

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - counted in steps
        prefix = "" if self.of == TARGET else f"{self.of}_"
        return tuple(f"{prefix}last_{k}" for k in range(1, self.steps + 1))

    def expressions(self, grid: Grid) -> tuple[Column, ...]:  # noqa: ARG002 - counted in steps
        return tuple(Newest(self.of, k) for k in range(1, self.steps + 1))
