"""How far forecasts are off, by lead time, as readings arrive."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from frugal_edge.store.forecasts import Error

_MEMORY = 30  # forecasts after which an old one hardly counts any more


def learn(errors: Mapping[int, Error], forecast: ArrayLike, actual: ArrayLike) -> dict[int, Error]:
    """Move the errors of each lead time towards those of one more forecast.

    A running mean over the first forecasts, an exponential one over about the last 30 from then on.

    Parameters
    ----------
    errors
        So far, by lead time.
    forecast, actual
        What was said and what came [H], NaN where nothing was observed.
    """
    moved = {}
    difference = np.asarray(forecast, np.float64) - np.asarray(actual, np.float64)
    for lead in np.flatnonzero(np.isfinite(difference)).tolist():
        old = errors.get(lead, Error(lead, 0, 0.0, 0.0))
        off = float(difference[lead])
        weight = 1 / min(old.count + 1, _MEMORY)
        moved[lead] = Error(
            lead,
            old.count + 1,
            old.error + weight * (abs(off) - old.error),
            old.bias + weight * (off - old.bias),
        )
    return moved
