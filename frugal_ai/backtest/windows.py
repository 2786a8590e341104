"""Cutting windows out of a panel: what a model may see at an origin, and what came after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_ai.backtest.origins import IntArray
from frugal_ai.data.panel import FloatArray, Panel, format_time
from frugal_ai.errors import DataError
from frugal_ai.features.blocks.base import Reach
from frugal_ai.features.graph import Windows


@dataclass(frozen=True)
class Series:
    """One series of a panel, with the copy of its values whose gaps are filled.

    Attributes
    ----------
    panel, index
        Where the series comes from.
    filled
        Values as a model sees them [T]; the panel keeps what was observed.
    horizon
        Number of target steps, H.
    """

    panel: Panel
    index: int
    filled: FloatArray
    horizon: int

    @property
    def name(self) -> str:
        """The series_id."""
        return self.panel.series_ids[self.index]

    def positions(self, origins: IntArray) -> IntArray:
        """Find the grid position of each origin [O].

        Raises
        ------
        DataError
            If an origin is off the grid or its targets are outside the data.
        """
        since = origins - self.panel.start
        off = np.flatnonzero(since % self.panel.step_s)
        if len(off):
            raise DataError(
                f"{self.name}: expected origins on the grid of {self.panel.step_s} s, "
                f"got {format_time(origins[off[0]])}"
            )
        found = since // self.panel.step_s
        steps = self.panel.values.shape[1]
        outside = np.flatnonzero((found < 0) | (found + self.horizon > steps))
        if len(outside):
            last = self.panel.start + steps * self.panel.step_s
            raise DataError(
                f"{self.name}: expected origins whose targets lie inside the data "
                f"({format_time(self.panel.start)} to {format_time(last)}), "
                f"got {format_time(origins[outside[0]])}"
            )
        return found

    def targets(self, origins: IntArray) -> FloatArray:
        """Return what was observed after each origin [O, H], NaN where nothing was."""
        ahead = self.positions(origins)[:, None] + np.arange(self.horizon)
        return np.asarray(self.panel.values[self.index][ahead])

    def windows(self, origins: IntArray, reach: Reach) -> Windows:
        """Cut what a model may see at each origin.

        Raises
        ------
        DataError
            If a window starts before the data, or a covariate is missing in it.
        """
        at = self.positions(origins)
        history = max(reach.history, 1)
        short = np.flatnonzero(at < max(history, reach.lookback))
        if len(short):
            raise DataError(
                f"{self.name}: expected {max(history, reach.lookback)} steps of history before "
                f"{format_time(origins[short[0]])}, got {at[short[0]]}"
            )
        before = at[:, None] + np.arange(-history, 0)  # [O, N]
        around = at[:, None] + np.arange(-reach.lookback, self.horizon)  # [O, L+H]
        return Windows(
            history=_finite(self.filled[before], self, before, ("value",)),
            origin=origins,
            known=self._covariates(self.panel.known, self.panel.known_names, reach.known, around),
            past=self._covariates(self.panel.past, self.panel.past_names, reach.past, before),
        )

    def _covariates(
        self, values: FloatArray, names: tuple[str, ...], read: frozenset[str], at: IntArray
    ) -> NDArray[np.float32]:
        columns = [i for i, name in enumerate(names) if name in read]
        cut = values[self.index][at[:, :, None], columns]  # [O, steps, k]
        return _finite(cut, self, at, tuple(names[i] for i in columns))


def _finite(
    cut: FloatArray, series: Series, positions: IntArray, names: tuple[str, ...]
) -> NDArray[np.float32]:
    bad = ~np.isfinite(cut)
    if bad.any():
        where = np.argwhere(bad)[0]
        name = names[where[2]] if cut.ndim == 3 else names[0]
        at = series.panel.start + positions[where[0], where[1]] * series.panel.step_s
        raise DataError(f"{series.name}: expected {name} at {format_time(at)}, but it is missing")
    return cut.astype(np.float32)
