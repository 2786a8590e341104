"""Missing values: where they are, and what stands in for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_ai.data.panel import FloatArray, IntArray
from frugal_ai.data.policy import Fill

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Runs:
    """Where a condition holds without a break: first columns and lengths [n]."""

    starts: IntArray
    lengths: IntArray

    def longest(self) -> tuple[int, int]:
        """Return the first column and the length of the longest run; (0, 0) if there is none."""
        if not len(self.lengths):
            return 0, 0
        at = int(self.lengths.argmax())
        return int(self.starts[at]), int(self.lengths[at])


def runs(holds: BoolArray) -> Runs:
    """Find the runs of true values of a vector [T]."""
    edges = np.flatnonzero(np.diff(holds, prepend=False, append=False))
    return Runs(starts=edges[::2], lengths=edges[1::2] - edges[::2])


def fill_history(values: FloatArray, method: Fill, max_gap: int, first_origin: int) -> FloatArray:
    """Fill gaps as a forecaster could have done it.

    Before the first origin a gap is filled by `method`, from values before that origin; from the
    first origin on with the value before the gap, so that no forecast sees what came later.

    Parameters
    ----------
    values
        Series [S, T]; NaN stands for missing.
    method
        ``linear``, ``previous`` or ``none``.
    max_gap
        Longest gap that is filled [steps]; longer ones, and what is missing before the first
        value, stay.
    first_origin
        Column of the first origin.

    Returns
    -------
    FloatArray
        A filled copy [S, T].
    """
    filled = values.copy()
    if method == "none":
        return filled
    for row in filled:  # [T]
        _fill_row(row, method, max_gap, first_origin)
    return filled


def _fill_row(row: FloatArray, method: Fill, max_gap: int, first_origin: int) -> None:
    observed = np.flatnonzero(~np.isnan(row))
    missing = _short_gaps(row, max_gap)
    if not len(observed) or not len(missing):
        return
    previous = observed[np.searchsorted(observed, missing) - 1]
    stand_in = row[previous]
    before = observed[observed < first_origin]
    if method == "linear" and len(before):
        inside = missing < before[-1]
        stand_in[inside] = np.interp(missing[inside], before, row[before])
    row[missing] = stand_in


def _short_gaps(row: FloatArray, max_gap: int) -> IntArray:
    """List the columns in gaps of at most `max_gap` steps that have a value before them."""
    gaps = runs(np.isnan(row))
    short = (gaps.lengths <= max_gap) & (gaps.starts > 0)
    columns = [
        np.arange(start, start + length)
        for start, length in zip(gaps.starts[short], gaps.lengths[short], strict=True)
    ]
    return np.concatenate(columns) if columns else np.empty(0, dtype=np.int64)


def bridge(row: FloatArray, max_gap: int) -> FloatArray:
    """Return a copy of a known covariate [T] with holes of at most `max_gap` steps interpolated."""
    out = row.copy()
    _fill_row(out, "linear", max_gap, len(row))
    missing_tail = runs(np.isnan(row))
    if len(missing_tail.starts) and missing_tail.starts[-1] + missing_tail.lengths[-1] == len(row):
        out[missing_tail.starts[-1] :] = np.nan  # never extrapolated
    return out
