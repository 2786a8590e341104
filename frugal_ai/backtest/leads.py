"""Errors by how far ahead a target is: the horizon in a few bands of lead time.

All rungs of a ladder are resampled by the same origins, as everywhere else; an interval holds for
its band by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from frugal_ai.backtest.compare import Interval, Resamples, mean_intervals
from frugal_ai.backtest.metrics import FloatArray, OriginErrors, deviations, mean_over
from frugal_ai.data.calendar import DAY_S, WEEK_S

_HOUR_S = 3600
_EDGES_S = (_HOUR_S, 6 * _HOUR_S, DAY_S, 2 * DAY_S, WEEK_S)


@dataclass(frozen=True)
class Band:
    """Steps of a horizon, from one time after the origin up to another [s]."""

    from_s: int
    to_s: int
    steps: slice


@dataclass(frozen=True)
class BandError:
    """Mean absolute error in a band [unit of the target], and how many targets it rests on."""

    band: Band
    mae: Interval
    points: int


def lead_bands(step_s: int, n_steps: int) -> tuple[Band, ...]:
    """Cut a horizon after an hour, 6 hours, a day, 2 and 7 days, where a step ends there.

    Parameters
    ----------
    step_s
        Length of a step [s].
    n_steps
        H.
    """
    whole = n_steps * step_s
    edges = [0, *(one for one in _EDGES_S if one % step_s == 0 and one < whole), whole]
    return tuple(
        Band(start, end, slice(start // step_s, end // step_s)) for start, end in pairwise(edges)
    )


def errors_by_lead(
    forecast: FloatArray,
    actual: FloatArray,
    bands: Sequence[Band],
    resamples: Resamples,
    level: float = 0.95,
) -> tuple[BandError, ...]:
    """Return the error of each band in which anything is scored.

    Parameters
    ----------
    forecast, actual
        [S, O, H] [unit of the target].
    bands
        See `lead_bands`.
    resamples
        Of the O origins.
    level
        Of the intervals [1].

    Raises
    ------
    DataError
        As `deviations`, and when the resamples are of another number of origins.
    """
    absolute = np.abs(deviations(forecast, actual))
    errors = [(band, _of(absolute[:, :, band.steps])) for band in bands]
    scored = [(band, one) for band, one in errors if one.count.any()]
    found = mean_intervals([one for _, one in scored], resamples, level)
    return tuple(
        BandError(band, mae, int(one.count.sum()))
        for (band, one), mae in zip(scored, found, strict=True)
    )


def _of(absolute: FloatArray) -> OriginErrors:
    return OriginErrors(mean_over(absolute, axis=2), np.sum(~np.isnan(absolute), axis=2))
