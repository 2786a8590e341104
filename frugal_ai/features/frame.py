"""Expressions of the feature graph that several blocks share, each built once."""

from collections.abc import Callable, Hashable
from functools import cached_property, lru_cache

import numpy as np
import spox
import spox.opset.ai.onnx.v17 as op
from numpy.typing import ArrayLike, DTypeLike
from spox import Var

from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.grid import DAY_FLAGS, Grid, position

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

    def known(self, names: tuple[str, ...]) -> Var:
        """Return known covariates and signals derived from them, [B, L+H, k]."""
        if names == self.grid.known_names:
            return self.inputs["known"]
        if not any(name in self.grid.derived for name in names):
            index = [position(name, self.grid.known_names, "known") for name in names]
            return op.gather(self.inputs["known"], const(index, np.int64), axis=2)
        columns = [op.unsqueeze(self.column(name), const([2], np.int64)) for name in names]
        return columns[0] if len(columns) == 1 else op.concat(columns, axis=2)

    def column(self, name: str) -> Var:
        """Return one known covariate or derived signal over look-back and horizon, [B, L+H]."""
        if name not in self._columns:
            if name in self.grid.derived:
                signal = self.grid.derived[name]
                built = signal.build(tuple(self.column(one) for one in signal.inputs))
            else:
                index = position(name, self.grid.known_names, "known")
                built = op.gather(self.inputs["known"], const(index, np.int64), axis=2)
            self._columns[name] = built
        return self._columns[name]

    def spread(self, per_origin: Var) -> Var:
        """Repeat what holds for an origin, [B, k], for every target step, [B, H, k]."""
        shape = const([1, self.grid.horizon, 1], np.int64)
        return op.expand(op.unsqueeze(per_origin, const([1], np.int64)), shape)

    @cached_property
    def lead_s(self) -> Var:
        """Time from the origin to the start of each target interval [s], int64 [1, H]."""
        return const(np.arange(self.grid.horizon)[None] * self.grid.step_s, np.int64)

    @cached_property
    def target(self) -> Var:
        """Start of each target interval [unix s], int64 [B, H]."""
        return op.add(op.unsqueeze(self.inputs["origin"], const([1], np.int64)), self.lead_s)

    @cached_property
    def local(self) -> Var:
        """Start of each target interval on the local clock [s since 1970], int64 [B, H]."""
        if not len(self.grid.transitions):
            return op.add(self.target, const(self.grid.offsets[0], np.int64))
        started = op.greater_or_equal(
            op.unsqueeze(self.target, const([2], np.int64)), const(self.grid.transitions, np.int64)
        )
        era = op.reduce_sum(op.cast(started, to=np.int64), const([2], np.int64), keepdims=0)
        return op.add(self.target, op.gather(const(self.grid.offsets, np.int64), era))

    @cached_property
    def local_day(self) -> Var:
        """Local days since 1970-01-01, int64 [B, H]; ONNX division truncates, so from 1970 on."""
        return op.div(self.local, const(DAY_S, np.int64))

    @cached_property
    def second_of_day(self) -> Var:
        """Seconds since local midnight, int64 [B, H]."""
        return op.mod(self.local, const(DAY_S, np.int64))

    @cached_property
    def weekday(self) -> Var:
        """Local day of the week, Monday is 0, int64 [B, H]."""
        return op.mod(op.add(self.local_day, const(3, np.int64)), const(7, np.int64))

    @cached_property
    def _day_table(self) -> Var:
        return const(self.grid.day_codes, np.uint8)

    def day_flags(self, shifts: tuple[int, ...], flags: tuple[str, ...]) -> Var:
        """Look up flags of the days around each target, float32 [B, H, shifts * flags].

        Parameters
        ----------
        shifts
            Days back from the target's local day.
        flags
            Names from ``DAY_FLAGS``.
        """
        row = op.sub(self.local_day, const(self.grid.first_day, np.int64))
        rows = op.sub(op.unsqueeze(row, const([2], np.int64)), const(shifts, np.int64))
        codes = op.cast(op.gather(self._day_table, rows), to=np.int64)  # [B, H, shifts]
        bits = np.arange(2 ** len(DAY_FLAGS))[:, None] >> [DAY_FLAGS.index(f) for f in flags] & 1
        marked = op.gather(const(bits, np.float32), codes)  # [B, H, shifts, flags]
        width = len(shifts) * len(flags)
        return op.reshape(marked, const([-1, self.grid.horizon, width], np.int64))


def cut(values: Var, start: int, end: int) -> Var:
    """Cut steps ``start`` to ``end`` out of the second axis."""
    return op.slice(values, *(const([i], np.int64) for i in (start, end, 1)))
