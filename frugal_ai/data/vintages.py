"""Vintages of a covariate: what was known of it, and from when on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Interpolate = Literal["linear", "previous", "none"]

_BATCH = 256  # origins at once: bounds the memory of the look-up
_EVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class VintageIndex:
    """For which instants there are values, and when each became known.

    Covariates of one table share it, so that their newest vintages are found once for all.

    Attributes
    ----------
    instants
        Distinct instants that values are for [unix s], ascending [U].
    first
        Row of the first vintage of each instant, and the number of rows [U + 1].
    available_at
        When each value became known [unix s], ascending within an instant [N].
    """

    instants: IntArray
    first: IntArray
    available_at: IntArray

    @classmethod
    def of(cls, times: IntArray, available_at: IntArray) -> Self:
        """Build the index of rows [N] that are in the order of both, and distinct."""
        instants, first = np.unique(times, return_index=True)
        return cls(instants, np.append(first, len(times)).astype(np.int64), available_at)

    def __len__(self) -> int:
        return len(self.available_at)

    @property
    def times(self) -> IntArray:
        """Instant that the value of each row is for [unix s], [N]."""
        return np.repeat(self.instants, np.diff(self.first))

    def same(self, other: "VintageIndex") -> bool:
        """Tell whether two are for the same instants and became known at the same times."""
        return (
            np.array_equal(self.instants, other.instants)
            and np.array_equal(self.first, other.first)
            and np.array_equal(self.available_at, other.available_at)
        )

    @cached_property
    def _before(self) -> int:
        """An instant before anything became known [unix s]."""
        return int(self.available_at.min()) - 1 if len(self) else 0

    @cached_property
    def _span(self) -> int:
        return int(self.available_at.max()) - self._before + 1 if len(self) else 1

    @cached_property
    def _keys(self) -> IntArray:
        """One number for instant and availability together, ascending over all rows [N]."""
        place = np.repeat(np.arange(len(self.instants)) * self._span, np.diff(self.first))
        keys: IntArray = place + (self.available_at - self._before)
        return keys

    def newest(self, places: IntArray, origins: IntArray) -> IntArray:
        """Find the newest vintage that an origin may see.

        Parameters
        ----------
        places
            Which of the instants [O, W]; those beyond the last one have no vintage.
        origins
            [unix s], [O].

        Returns
        -------
        IntArray
            Rows [O, W]; -1 where no vintage is available yet.
        """
        beyond = places >= len(self.instants)
        inside = np.where(beyond, 0, places)
        since = np.clip(origins, self._before, self._before + self._span - 1) - self._before
        wanted = inside * self._span + since[:, None]
        rows = np.searchsorted(self._keys, wanted, side="right") - 1
        return np.where(beyond | (rows < self.first[inside]), -1, rows)


@dataclass(frozen=True)
class Vintages:
    """What was known of one covariate of one series, or of all.

    Attributes
    ----------
    index
        Instants and times of availability of the rows.
    values
        The rows' values, none of them missing [N].
    how
        What the covariate is between two instants: on the straight line, the previous value, or
        nothing.
    reach_s
        How far two instants may be apart for anything to be read between them [s].
    """

    index: VintageIndex
    values: FloatArray
    how: Interpolate
    reach_s: int

    def end(self) -> int | None:
        """Return the last instant that there is a value for [unix s]."""
        return int(self.index.instants[-1]) if len(self.index) else None

    def earliest(self, wanted: IntArray) -> FloatArray:
        """Read the first vintage of each instant, whenever it became known, at instants [T]."""
        rows = self.index.first[:-1]
        index = VintageIndex.of(self.index.instants, self.index.available_at[rows])
        first = replace(self, index=index, values=self.values[rows])
        return np.asarray(as_known([first], np.array([_EVER]), wanted[None])[0, :, 0])

    def reaches(self, origin: int) -> int | None:
        """Return the last instant that something was known of at an origin [unix s]."""
        known = np.flatnonzero(self.index.available_at <= origin)
        return int(self.index.times[known[-1]]) if len(known) else None

    def appears(self, t: int) -> int | None:
        """Return when the first value for `t` or later became known [unix s]."""
        first = int(np.searchsorted(self.index.instants, t))
        rows = self.index.available_at[self.index.first[first] :]
        return int(rows.min()) if len(rows) else None

    def within(self, start: int, end: int) -> "Vintages":
        """Keep what is read between two instants [unix s], the neighbours included."""
        times = self.index.times
        kept = (times >= start - self.reach_s) & (times <= end + self.reach_s)
        index = VintageIndex.of(times[kept], self.index.available_at[kept])
        return replace(self, index=index, values=self.values[kept])


def as_known(vintages: Sequence[Vintages], origins: IntArray, wanted: IntArray) -> FloatArray:
    """Read covariates of one index as they were known at each origin.

    Between two instants each covariate is what its own settings say, from the two neighbours that
    were known; nothing is known before the first or after the last of them.

    Parameters
    ----------
    vintages
        Covariates, C, that share index, ``how`` and ``reach_s``.
    origins
        [unix s], [O].
    wanted
        Instants, ascending for each origin [unix s], [O, T].

    Returns
    -------
    FloatArray
        Values [O, T, C]; NaN where nothing was known.
    """
    parts = [
        _as_known(vintages, origins[at : at + _BATCH], wanted[at : at + _BATCH])
        for at in range(0, len(origins), _BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty((*wanted.shape, len(vintages)))


def _as_known(vintages: Sequence[Vintages], origins: IntArray, wanted: IntArray) -> FloatArray:
    index, how, reach_s = vintages[0].index, vintages[0].how, vintages[0].reach_s
    out = np.full((*wanted.shape, len(vintages)), np.nan)
    if not len(index) or not wanted.size:
        return out
    low = np.searchsorted(index.instants, wanted[:, 0] - reach_s)  # [O]
    high = np.searchsorted(index.instants, wanted[:, -1] + reach_s, side="right")
    width = int((high - low).max())
    if not width:
        return out
    places = low[:, None] + np.arange(width)  # [O, W]
    rows = index.newest(places, origins)
    left, right = _neighbours(index.instants, low, rows >= 0, wanted)
    inside = (left >= 0) & (right < width)
    origin, step = np.nonzero(inside)  # those that lie between two known instants [n]
    earlier, later, at = left[inside], right[inside], wanted[inside]
    start, end = (index.instants[low[origin] + place] for place in (earlier, later))
    near = earlier == later if how == "none" else end - start <= reach_s
    first, last = rows[origin, earlier], rows[origin, later]
    for c, one in enumerate(vintages):
        found = one.values[first]
        if how == "linear":
            rise = one.values[last] - found
            found = found + rise / np.maximum(end - start, 1) * (at - start)
        out[origin, step, c] = np.where(near, found, np.nan)
    return out


def _neighbours(
    instants: IntArray, low: IntArray, known: NDArray[np.bool_], wanted: IntArray
) -> tuple[IntArray, IntArray]:
    """Find the nearest known instants before and after.

    Parameters
    ----------
    instants
        All of them [U].
    low
        The first one that is looked at, for each origin [O].
    known
        Of which of those from `low` on something was known [O, W].
    wanted
        [O, T].

    Returns
    -------
    left, right
        Columns of `known` [O, T]; -1 and W where there is no such instant.
    """
    width = known.shape[1]
    column = np.arange(width)
    previous = np.maximum.accumulate(np.where(known, column, -1), axis=1)
    following = np.where(known, column, width)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    left = np.searchsorted(instants, wanted, side="right") - 1 - low[:, None]
    right = np.searchsorted(instants, wanted) - low[:, None]
    earlier = np.take_along_axis(previous, np.clip(left, 0, width - 1), axis=1)
    later = np.take_along_axis(following, np.clip(right, 0, width - 1), axis=1)
    return np.where(left < 0, -1, earlier), np.where(right >= width, width, later)


def shared(found: Sequence[Vintages]) -> tuple[Vintages, ...]:
    """Let covariates whose rows are alike share one index."""
    indices: list[VintageIndex] = []
    out = []
    for one in found:
        twin = next((index for index in indices if index.same(one.index)), None)
        if twin is None:
            indices.append(one.index)
        out.append(one if twin is None else replace(one, index=twin))
    return tuple(out)
