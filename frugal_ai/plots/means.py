"""Means over origins and series with their intervals, of whatever is scored at each target."""

from dataclasses import dataclass

import numpy as np

from frugal_ai.backtest.compare import Interval, Resamples, mean_interval
from frugal_ai.backtest.metrics import FloatArray, OriginErrors


@dataclass(frozen=True)
class Curve:
    """A mean for each lead time, with an interval that holds for that lead time by itself.

    Attributes
    ----------
    mean
        [H], NaN where nothing is scored.
    low, high
        [H], NaN also where there are too few origins to tell.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray


def overall(scores: FloatArray, resamples: Resamples, level: float) -> Interval:
    """Average scores over all that is scored, per series and then over series.

    Parameters
    ----------
    scores
        [S, O, H], not negative, NaN where nothing is scored.
    resamples
        Of the O origins.
    level
        Of the interval [1].

    Raises
    ------
    DataError
        If nothing is scored.
    """
    seen = ~np.isnan(scores)
    count = seen.sum(axis=2)
    total = np.where(seen, scores, 0.0).sum(axis=2)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean_interval(OriginErrors(mean, count), resamples, level)


def by_lead_time(scores: FloatArray, resamples: Resamples, level: float) -> Curve:
    """Average scores at each lead time; see `overall`."""
    rows = np.full((3, scores.shape[2]), np.nan)
    for lead in np.flatnonzero(~np.isnan(scores).all(axis=(0, 1))):
        found = overall(scores[:, :, lead : lead + 1], resamples, level)
        rows[0, lead] = found.value
        if found.known:
            rows[1:, lead] = found.low, found.high
    return Curve(*rows)
