"""Covariates that are known over the horizon, such as a weather forecast."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from annotated_types import MinLen

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.column import Column
from frugal_ai.features.columns.ahead import Ahead, Around, Trailing
from frugal_ai.features.columns.origin import KnownBefore
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Duration, format_duration

_NOW = timedelta(0)


class Known(Block):
    """Known covariates at the target, some time before or after it, and averaged around it.

    ``before`` shifts back from the target and ``after`` forward; ``mean`` averages over a window
    that ends with the interval that ``before`` leads to (``0d`` for the value itself), ``around``
    over one that has the target in its middle, ``origin`` over one that ends at the origin: what
    the weather was like that made the last observations. A weather forecast errs in time, so that
    its neighbouring hours tell something. Beyond the horizon its last value stands for later ones.
    """

    feature: Literal["known"]
    names: Annotated[tuple[str, ...], MinLen(1)]
    before: tuple[Duration, ...] = (_NOW,)
    after: tuple[Duration, ...] = ()
    mean: Annotated[tuple[Duration, ...], MinLen(1)] = (_NOW,)
    around: tuple[Duration, ...] = ()
    origin: tuple[Duration, ...] = ()

    def columns(self, grid: Grid) -> tuple[str, ...]:
        for name in self.names:
            grid.base(name)
        self.expressions(grid)
        trailing = [
            (f"_mean_{format_duration(window)}" if window else "")
            + (f"_{format_duration(shift)}_before" if shift else "")
            for window in self.mean
            for shift in self.before
        ]
        ahead = [f"_{format_duration(shift)}_after" for shift in self.after]
        centred = [f"_around_{format_duration(window)}" for window in self.around]
        recent = [f"_before_origin_{format_duration(window)}" for window in self.origin]
        ways = trailing + ahead + centred + recent
        return tuple(name + how for how in ways for name in self.names)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        shifts, windows = self._steps(grid)
        ways: list[Callable[[str], Column]] = [
            partial(Ahead, shift=-shift)
            if window == 1
            else partial(Trailing, before=shift, window=window)
            for window in windows
            for shift in shifts
        ]
        after = [grid.steps(shift, "recipe: known.after") for shift in self.after]
        around = [grid.steps(window, "recipe: known.around") // 2 for window in self.around]
        origin = [grid.steps(window, "recipe: known.origin") for window in self.origin]
        ways += [partial(Ahead, shift=steps) for steps in after]
        ways += [partial(Around, half=half) for half in around]
        ways += [partial(KnownBefore, steps=steps) for steps in origin]
        return tuple(way(name) for way in ways for name in self.names)

    def _steps(self, grid: Grid) -> tuple[list[int], list[int]]:
        shifts = [grid.steps(shift, "recipe: known.before") for shift in self.before]
        windows = [grid.steps(window, "recipe: known.mean") or 1 for window in self.mean]
        return shifts, windows
