"""Expressions of the feature graph that several blocks share, each built once."""

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property, lru_cache
from itertools import groupby

import numpy as np
import spox
import spox.opset.ai.onnx.v17 as op
from numpy.typing import ArrayLike, DTypeLike
from spox import Var

from frugal_ai.data.calendar import DAY_S, WEEK_S
from frugal_ai.features.grid import Grid, position

TARGET = "target"
_SMALL = 1024  # [bytes]


def const(value: ArrayLike, dtype: DTypeLike) -> Var:
    """Embed an array in the graph; equal small ones are one node."""
    array = np.asarray(value, dtype=dtype)
    if array.nbytes > _SMALL:
        return op.const(array)
    return _small(array.dtype.str, array.shape, array.tobytes())


@lru_cache(maxsize=1024)
def _small(dtype: str, shape: tuple[int, ...], content: bytes) -> Var:
    return op.const(np.frombuffer(content, dtype=dtype).reshape(shape))


class Frame:
    """The inputs of the graph and what is derived from them for every target step.

    Inputs are ``history`` [B, N], ``origin`` [B], ``known`` [B, L+H, K] and ``past`` [B, N, P]; the
    derived tensors have the axes [B, H].
    """

    def __init__(self, grid: Grid, history_steps: int, lookback: int) -> None:
        self.grid = grid
        self.history_steps = history_steps
        self.lookback = lookback
        self._columns: dict[str, Var] = {}
        self._built: dict[Hashable, Var] = {}
        span = lookback + grid.horizon
        self.inputs: dict[str, Var] = {
            "history": spox.argument(spox.Tensor(np.float32, ("B", history_steps))),
            "origin": spox.argument(spox.Tensor(np.int64, ("B",))),
            "known": spox.argument(spox.Tensor(np.float32, ("B", span, len(grid.known_names)))),
            "past": spox.argument(
                spox.Tensor(np.float32, ("B", history_steps, len(grid.past_names)))
            ),
        }

    def once(self, key: Hashable, build: Callable[[], Var]) -> Var:
        """Build an expression, or return it if something with the same key was built before."""
        if key not in self._built:
            self._built[key] = build()
        return self._built[key]

    def signal(self, name: str) -> Var:
        """Return the past of the target [units of the grid] or of a past covariate, [B, N]."""
        if name == TARGET:
            return self._observed
        index = position(name, self.grid.past_names, "past")
        return op.gather(self.inputs["past"], const(index, np.int64), axis=2)

    @cached_property
    def _observed(self) -> Var:
        """The target's past in units of the grid, [B, N]."""
        history = self.inputs["history"]
        if self.grid.capacity:
            around = self.column(self.grid.capacity)
            history = op.div(
                history, cut(around, self.lookback - self.history_steps, self.lookback)
            )
        if self.grid.scale != 1.0:
            history = op.mul(history, const(1 / self.grid.scale, np.float32))
        return history

    @cached_property
    def unit(self) -> Var:
        """What one unit of the grid is worth at each target, float32 [B, H]."""
        scale = const(self.grid.scale, np.float32)
        if self.grid.capacity:
            ahead = cut(
                self.column(self.grid.capacity),
                self.lookback,
                self.lookback + self.grid.horizon,
            )
            return op.mul(ahead, scale)
        return op.expand(scale, op.shape(self.target))

    def known(self, names: Sequence[str]) -> Var:
        """Return known covariates and signals derived from them, [B, k, L+H]."""
        if tuple(names) == self.grid.known_names:
            return self._known
        return self.once(("known", *names), lambda: self._stacked(names))

    def _stacked(self, names: Sequence[str]) -> Var:
        parts = []
        for derived, some in groupby(names, lambda name: name in self.grid.derived):
            if derived:
                parts += [op.unsqueeze(self.column(name), const([1], np.int64)) for name in some]
            else:
                index = [position(name, self.grid.known_names, "known") for name in some]
                parts.append(op.gather(self._known, const(index, np.int32), axis=1))
        return parts[0] if len(parts) == 1 else op.concat(parts, axis=1)

    @cached_property
    def _known(self) -> Var:
        """The known covariates with the steps of each side by side, [B, K, L+H]."""
        return op.transpose(self.inputs["known"], perm=[0, 2, 1])

    def column(self, name: str) -> Var:
        """Return one known covariate or derived signal over look-back and horizon, [B, L+H]."""
        if name not in self._columns:
            if name in self.grid.derived:
                signal = self.grid.derived[name]
                built = signal.build(tuple(self.column(one) for one in signal.inputs))
            else:
                index = position(name, self.grid.known_names, "known")
                built = op.gather(self._known, const(index, np.int64), axis=1)
            self._columns[name] = built
        return self._columns[name]

    @cached_property
    def lead_s(self) -> Var:
        """Time from the origin to the start of each target interval [s], int64 [1, H]."""
        return const(np.arange(self.grid.horizon)[None] * self.grid.step_s, np.int64)

    @cached_property
    def target(self) -> Var:
        """Start of each target interval [unix s], int64 [B, H]."""
        return op.add(op.unsqueeze(self.inputs["origin"], const([1], np.int64)), self.lead_s)

    @cached_property
    def monday(self) -> int:
        """The last Monday up to the first day of the tables, days since 1970-01-01."""
        return self.grid.first_day - (self.grid.first_day + 3) % 7

    @cached_property
    def elapsed(self) -> Var:
        """Start of each target interval on the local clock [s since `monday`], int64 [B, 1, H].

        Clocks of Europe change on Sundays at 01:00 UTC. Where changes are whole weeks or days
        apart, one offset holds for each of these, and is looked up; else it is counted which
        changes were before each interval.
        """
        grid, monday = self.grid, self.monday * DAY_S
        if not len(grid.transitions):
            return self._since(monday - int(grid.offsets[0]))
        period = next((one for one in (WEEK_S, DAY_S) if grid.changes_every(one)), None)
        if period is not None:
            return self._looked_up(period)
        before = self._since(monday - int(grid.offsets[0]))
        started = grid.transitions[:, None] + int(grid.offsets[0]) - monday  # [changes, 1]
        return op.add(before, _change(op.greater_or_equal(before, const(started, np.int64)), grid))

    def _since(self, start: int) -> Var:
        """Time from an instant to the start of each target interval [s], int64 [B, 1, H]."""
        length = self.grid.horizon * self.grid.step_s
        ends = (-start, length - start, self.grid.step_s)
        lead = op.range(*(const(i, np.int64) for i in ends))
        return op.add(op.unsqueeze(self.inputs["origin"], const([1, 2], np.int64)), lead)

    def _looked_up(self, period: int) -> Var:
        """Add the offset of each period, all of which begin like the first change."""
        grid = self.grid
        first, last = (DAY_S * (grid.first_day + i) for i in (-1, len(grid.day_codes) + 1))
        start = int(grid.transitions[0])
        start -= -(-(start - first) // period) * period
        ends = (0, -(-(last - start) // period), 1)
        periods = op.range(*(const(i, np.int32) for i in ends))
        # onnxruntime computes no greater_or_equal of this operator set before any forecast
        before = (grid.transitions - start)[:, None] // period - 1
        change = _change(op.greater(periods, const(before, np.int32)), grid)
        shift = start + int(grid.offsets[0]) - self.monday * DAY_S
        table = op.squeeze(op.add(change, const([[shift]], np.int64)), const([0], np.int64))
        since = self._since(start)
        return op.add(since, op.gather(table, op.div(since, const(period, np.int64))))


def _change(started: Var, grid: Grid) -> Var:
    """Sum up the changes of the clock that have started, [..., changes, n], to [..., 1, n]."""
    return op.matmul(const(np.diff(grid.offsets)[None], np.int64), op.cast(started, to=np.int64))


def cut(values: Var, start: int, end: int) -> Var:
    """Cut steps ``start`` to ``end`` out of the second axis."""
    return op.slice(values, *(const([i], np.int64) for i in (start, end, 1)))
