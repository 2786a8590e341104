"""Values of signals for every target step."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.features.frame import const

IntArray = NDArray[np.int64]


class Signals(NamedTuple):
    """Some signals side by side, [B, S, T], or one alone, [B, T]."""

    values: Var
    width: int  # S
    length: int  # T


class Pick(NamedTuple):
    """Values of signals for each target step."""

    which: Sequence[int]  # signal of each row [n]
    at: IntArray  # steps along the signals [n, H]


def whole(at: IntArray) -> bool:
    """Say whether steps [n, H] are whole runs of the horizon's length, one after the other."""
    horizon = at.shape[1]
    in_a_row = bool((at == at[:, :1] + np.arange(horizon)).all())
    return in_a_row and len(set((at[:, 0] % horizon).tolist())) == 1


def picked(signals: Signals, *picks: Pick) -> list[Var]:
    """Pick values for each target step, [B, n, H] each.

    Whole days back from the origin, where the horizon is a day, are rows of the signals cut into
    days: they are copied row by row, all else value by value, which takes ten times as long.
    """
    if whole(np.concatenate([pick.at for pick in picks])):
        return _picked_whole(signals, picks)
    flat = signals.values
    if len(signals.values.unwrap_tensor().shape or ()) > 2:
        flat = _reshaped(flat, signals.width * signals.length)
    index = [np.asarray(pick.which)[:, None] * signals.length + pick.at for pick in picks]
    return [op.gather(flat, const(one, np.int32), axis=1) for one in index]


def _picked_whole(signals: Signals, picks: Sequence[Pick]) -> list[Var]:
    """Pick runs of the horizon's length that start on the same step of it, [B, n, H] each."""
    values, rows, count = _runs(signals, picks)
    return [
        values
        if one.tolist() == list(range(count))
        else op.gather(values, const(one, np.int32), axis=1)
        for one in rows
    ]


def _runs(signals: Signals, picks: Sequence[Pick]) -> tuple[Var, list[IntArray], int]:
    """Cut signals into runs, [B, n, H]; return the rows of each pick among them, and n."""
    horizon = picks[0].at.shape[1]
    starts = np.concatenate([pick.at[:, 0] for pick in picks])
    first, last = int(starts.min()), int(starts.max()) + horizon
    values, runs = signals.values, (last - first) // horizon
    if (first, last) != (0, signals.length):
        values = op.slice(values, *(const([i], np.int64) for i in (first, last, -1)))
    values = _reshaped(values, signals.width * runs, horizon)
    rows = [np.asarray(pick.which) * runs + (pick.at[:, 0] - first) // horizon for pick in picks]
    return values, rows, signals.width * runs


def differences(signals: Signals, high: Pick, low: Pick, over: IntArray) -> Var:
    """Subtract values from others for each target step and divide by numbers [n, 1], [B, n, H]."""
    if not whole(np.concatenate([high.at, low.at])):
        return op.div(op.sub(*picked(signals, high, low)), const(over, np.float64))
    values, (plus, minus), count = _runs(signals, (high, low))
    signs = np.zeros((len(plus), count))
    signs[np.arange(len(plus)), plus] += 1
    signs[np.arange(len(plus)), minus] -= 1
    return op.matmul(op.div(const(signs, np.float64), const(over, np.float64)), values)


def _reshaped(values: Var, *sizes: int) -> Var:
    return op.reshape(values, const([-1, *sizes], np.int64))
