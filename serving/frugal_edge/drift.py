"""Quantiles that follow what arrives, so that what changes for good is not missed for long.

After each forecast whose intervals are over, a quantile moves up a little for the observations
above it and down for those below, in proportion to its level. In the long run the share below it
is then its level whatever the series does: quantile tracking as in Angelopoulos, Candes and
Tibshirani (2023), Conformal PID control for time series prediction, after Gibbs and Candes (2021),
Adaptive conformal inference under distribution shift. The unit is the width between the outer
quantiles, which the graph knows; the gateway keeps these few numbers alone.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

COMMON_RATE, SLOT_RATE = 0.07, 0.03  # [widths] by forecast, and by observation of a time of day
_FARTHEST = 2.0  # [widths] either way, so that a broken meter cannot carry it off
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Drift:
    """How far quantiles have moved [widths between the outer ones].

    Attributes
    ----------
    levels
        Ascending, Q of them.
    step_s
        Length of an interval [s].
    common
        For all intervals [Q].
    by_slot
        Beside it, by the interval of the day in UTC [D, Q].
    """

    levels: tuple[float, ...]
    step_s: int
    common: FloatArray
    by_slot: FloatArray

    @classmethod
    def none(cls, levels: tuple[float, ...], step_s: int) -> "Drift":
        """Return the start, when nothing is known."""
        slots = max(1, -(-_DAY_S // step_s))
        return cls(levels, step_s, np.zeros(len(levels)), np.zeros((slots, len(levels))))

    def ahead(self, origin: int, horizon: int) -> NDArray[np.float32]:
        """Return the input ``drift`` of a graph at an origin [unix s], float32 [H, Q]."""
        moved = self.common + self.by_slot[self._slots(origin, horizon)]
        return np.clip(moved, -_FARTHEST, _FARTHEST).astype(np.float32)

    def learn(self, origin: int, quantiles: ArrayLike, actual: ArrayLike) -> "Drift":
        """Return what follows from a forecast whose intervals are all over.

        Parameters
        ----------
        origin
            Of the forecast [unix s].
        quantiles
            As they were given, drift included [H, Q].
        actual
            What came [H], NaN where nothing was observed. Where the quantiles have no width, as at
            night for PV, nothing is learnt.
        """
        given, came = np.asarray(quantiles, np.float64), np.asarray(actual, np.float64)
        seen = np.isfinite(came) & (given[:, -1] > given[:, 0])
        if not seen.any():
            return self
        level = np.asarray(self.levels)
        above = np.sign(came[seen][:, None] - given[seen])  # [n, Q], 0 where it is met
        move = np.where(above > 0, level, level - 1) * np.abs(above)
        by_slot = self.by_slot.copy()
        np.add.at(by_slot, self._slots(origin, len(came))[seen], SLOT_RATE * move)
        return replace(
            self,
            common=np.clip(self.common + COMMON_RATE * move.mean(axis=0), -_FARTHEST, _FARTHEST),
            by_slot=np.clip(by_slot, -_FARTHEST, _FARTHEST),
        )

    def _slots(self, origin: int, horizon: int) -> NDArray[np.int64]:
        """Return the interval of the day of each target, [H]."""
        starts = origin + np.arange(horizon) * self.step_s
        return np.asarray(starts % _DAY_S // self.step_s, np.int64)
