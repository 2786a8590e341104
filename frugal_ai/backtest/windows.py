"""Cutting windows out of a panel: what a model may see at an origin, and what came after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_ai.backtest.origins import IntArray
from frugal_ai.data.panel import FloatArray, Panel, format_time
from frugal_ai.data.vintages import Vintages, as_known
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
            known=self._known(origins, reach.known, around),
            past=self._covariates(self.panel.past, self.panel.past_names, reach.past, before),
        )

    def _covariates(
        self, values: FloatArray, names: tuple[str, ...], read: frozenset[str], at: IntArray
    ) -> NDArray[np.float32]:
        columns = [i for i, name in enumerate(names) if name in read]
        cut = values[self.index][at[:, :, None], columns]  # [O, steps, k]
        return _finite(cut, self, at, tuple(names[i] for i in columns))

    def _known(self, origins: IntArray, read: frozenset[str], at: IntArray) -> NDArray[np.float32]:
        """Cut known covariates [O, L+H, k], those with vintages as they were at each origin."""
        panel = self.panel
        vintages = {
            name: found
            for name in panel.known_names
            if name in read and (found := panel.vintages_of(name, self.index)) is not None
        }
        plain = self._covariates(panel.known, panel.known_names, read - set(vintages), at)
        if not vintages:
            return plain
        times = panel.start + at * panel.step_s
        cut = dict(_as_known(vintages, origins, times))
        for name, values in cut.items():
            self._check_known(name, vintages[name], values, origins, times)
        names = [name for name in panel.known_names if name in read]
        others = iter(np.moveaxis(plain, 2, 0))
        columns = [cut[name] if name in cut else next(others) for name in names]
        return np.stack(columns, axis=2).astype(np.float32)

    def _check_known(
        self, name: str, vintages: Vintages, values: FloatArray, origins: IntArray, times: IntArray
    ) -> None:
        """Check that something was known of every interval [O, L+H], or say why not."""
        missing = np.argwhere(np.isnan(values))
        if not len(missing):
            return
        row, step = missing[0]
        origin, t = int(origins[row]), int(times[row, step])
        what = f"known covariate {name} of {self.name}"
        at, needed = format_time(origin), format_time(int(times[row, -1]))
        reaches, appears = vintages.reaches(origin), vintages.appears(t)
        if reaches is None:
            first = format_time(int(vintages.index.available_at.min()))
            raise DataError(
                f"{what}: no vintage is available yet at the origin {at}; the first is at {first}"
            )
        if t < reaches:
            raise DataError(
                f"{what}: expected a value for {format_time(t)} that is available at the origin"
                f" {at}, got none, though it is known until {format_time(reaches)}"
            )
        later = "" if appears is None else f"; more is available from {format_time(appears)} on"
        raise DataError(
            f"{what} ends before the horizon: at the origin {at} it is known until"
            f" {format_time(reaches)}, needed until {needed}{later}"
        )


def _as_known(
    vintages: Mapping[str, Vintages], origins: IntArray, times: IntArray
) -> Iterator[tuple[str, FloatArray]]:
    """Read covariates as they were known at each origin, those of one index together."""
    groups: dict[tuple[int, str, int], list[str]] = {}
    for name, one in vintages.items():
        groups.setdefault((id(one.index), one.how, one.reach_s), []).append(name)
    for names in groups.values():
        found = as_known([vintages[name] for name in names], origins, times)
        yield from zip(names, np.moveaxis(found, 2, 0), strict=True)


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
