"""What stands in for a model: the same time a season ago, or the last reading."""

import numpy as np
from numpy.typing import NDArray

from frugal_edge.clock import format_time
from frugal_edge.errors import InputError
from frugal_edge.gateway.target import Target
from frugal_edge.store.readings import VALUE
from frugal_edge.table import Table

FloatArray = NDArray[np.float32]
SEASONAL, PERSISTENCE = "seasonal_naive", "persistence"


def seasonal_naive(target: Target, readings: Table | None, origin: int, seasons: int) -> FloatArray:
    """Return the newest reading at the same time of the season for each interval [H].

    Raises
    ------
    InputError
        If an interval has none within so many seasons before the origin.
    """
    found = np.full(target.horizon, np.nan)
    times = origin + np.arange(target.horizon) * target.step_s
    first = times - -(-(times + target.step_s - origin) // target.season_s) * target.season_s
    for back in range(seasons):
        missing = np.isnan(found)
        if not missing.any():
            break
        found[missing] = at_times(readings, first[missing] - back * target.season_s)
    missing = np.isnan(found)
    if missing.any():
        at = format_time(int(times[missing][0]))
        raise InputError(f"seasonal naive: no reading in {seasons} seasons for {at}")
    return found.astype(np.float32)


def persistence(target: Target, readings: Table | None, origin: int, longest_s: int) -> FloatArray:
    """Return the last reading for every interval [H].

    Raises
    ------
    InputError
        If there is none, or it is older than allowed at the origin.
    """
    if readings is None or not np.isfinite(readings.columns[VALUE]).any():
        raise InputError("persistence: no reading at all")
    seen = np.isfinite(readings.columns[VALUE])
    last = int(readings.times[seen][-1])
    if last + target.step_s < origin - longest_s:
        raise InputError(f"persistence: the last reading, of {format_time(last)}, is too old")
    return np.full(target.horizon, readings.columns[VALUE][seen][-1], np.float32)


def at_times(readings: Table | None, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the readings at some times, NaN where there are none."""
    if readings is None:
        return np.full(len(times), np.nan)
    place = np.searchsorted(readings.times, times)
    inside = np.minimum(place, len(readings.times) - 1)
    hit = readings.times[inside] == times
    return np.where(hit, readings.columns[VALUE][inside], np.nan)
