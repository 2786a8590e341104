"""Two hours out of 24: chosen once or again every hour, against perfect foresight."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from frugal_ai.backtest.compare import bootstrap_indices
from frugal_ai.waiting import due

HOURS, WINDOW = 24, 2
STARTS = HOURS - WINDOW + 1
APART = 6  # hours between two starts, from which on they are another part of the day
_WEEK = 24 * 7  # starts that are drawn together
_RESAMPLES = 2000
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def windows(hours: FloatArray) -> FloatArray:
    """Means over every window of whole hours, [O, 24] to [O, 23]."""
    view = np.lib.stride_tricks.sliding_window_view(hours, WINDOW, axis=1)
    return np.asarray(view.mean(axis=2))


def once(forecast: FloatArray) -> IntArray:
    """Choose the window of least forecast at each start [O, 24], once for all, [O]."""
    return np.asarray(windows(forecast).argmin(axis=1))


def again(forecast: FloatArray) -> IntArray:
    """Choose again every hour, by what is forecast then for the windows that are left.

    Parameters
    ----------
    forecast
        Made at each start and at the 22 hours after the last one, [O + 22, 24].

    Returns
    -------
    numpy.ndarray
        Window that the work really starts with, [O].
    """
    expected = windows(forecast)
    starts = len(expected) - STARTS + 1
    chosen = np.full(starts, STARTS - 1)
    waits = np.ones(starts, bool)
    for waited in range(STARTS):
        left = expected[waited : waited + starts, : STARTS - waited]
        starting = waits & due(left[:, 0], left.min(axis=1))
        chosen[starting] = waited
        waits &= ~starting
    return chosen


@dataclass(frozen=True)
class Score:
    """What choices come to, means over all starts [gCO2e/kWh].

    Attributes
    ----------
    now, chosen, best
        Starting at once, as chosen, and with perfect foresight.
    low, high
        Ends of the 95 % interval of `share` [1].
    """

    now: float
    chosen: float
    best: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """Saving, of that of perfect foresight [1]."""
        return (self.now - self.chosen) / (self.now - self.best)

    @property
    def regret(self) -> float:
        """What perfect foresight would save beyond it [gCO2e/kWh]."""
        return self.chosen - self.best


def score(truth: FloatArray, chosen: IntArray) -> Score:
    """See what choices [O] come to by what came [O, 24]; circular bootstrap over weeks."""
    came = windows(truth)
    now, picked, best = came[:, 0], taken(came, chosen), came.min(axis=1)
    drawn = bootstrap_indices(len(came), _RESAMPLES, min(_WEEK, len(came)), seed=0)
    saved, could = ((now - one)[drawn].mean(axis=1) for one in (picked, best))
    low, high = np.quantile(saved / could, (0.025, 0.975))
    return Score(
        float(now.mean()), float(picked.mean()), float(best.mean()), float(low), float(high)
    )


def share(truth: FloatArray, chosen: IntArray) -> float:
    """Saving by choices [O], of that of perfect foresight [1]."""
    came = windows(truth)
    saved = came[:, 0].mean() - taken(came, chosen).mean()
    return float(saved / (came[:, 0].mean() - came.min(axis=1).mean()))


def taken(came: FloatArray, chosen: IntArray) -> FloatArray:
    """Return the window that is chosen of each start, [O, 23] to [O]."""
    return np.asarray(came[np.arange(len(came)), chosen])


@dataclass(frozen=True)
class Lost:
    """Where the saving goes that is not found, in shares of it [1].

    Attributes
    ----------
    elsewhere
        Starts at which the window chosen lies in another part of the day than the best.
    tenth
        The tenth of the starts that lose most.
    """

    elsewhere: float
    tenth: float


def lost(truth: FloatArray, chosen: IntArray) -> Lost:
    """Say where choices [O] lose against what came [O, 24]."""
    came = windows(truth)
    regret = taken(came, chosen) - came.min(axis=1)
    apart = np.abs(chosen - came.argmin(axis=1)) > APART
    most = np.sort(regret)[-(len(regret) // 10) :]
    return Lost(float(regret[apart].sum() / regret.sum()), float(most.sum() / regret.sum()))
