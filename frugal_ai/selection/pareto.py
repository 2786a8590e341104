"""What is worth a second look: no other rung is better in error and in CO2e at once."""

import numpy as np
import numpy.typing as npt

from frugal_ai.backtest.metrics import FloatArray
from frugal_ai.errors import DataError


def front(error: FloatArray, co2e: FloatArray) -> npt.NDArray[np.bool_]:
    """Mark the points that no other one dominates.

    A point dominates another when it is not worse in either and better in one; of equal points none
    dominates, all are kept.

    Parameters
    ----------
    error
        [n], less is better.
    co2e
        [n] [gCO2e], less is better.

    Returns
    -------
    npt.NDArray[np.bool_]
        [n].

    Raises
    ------
    DataError
        When the two differ in length, or a value is NaN.
    """
    if error.ndim != 1 or error.shape != co2e.shape:
        shapes = f"{list(error.shape)} and {list(co2e.shape)}"
        raise DataError(f"Pareto front: expected error and co2e of one length, got {shapes}")
    unknown = np.flatnonzero(np.isnan(error) | np.isnan(co2e))
    if len(unknown):
        raise DataError(f"Pareto front: expected numbers, got NaN at point {unknown[0]}")
    not_worse = (error[:, None] <= error) & (co2e[:, None] <= co2e)  # [by, of]
    better = (error[:, None] < error) | (co2e[:, None] < co2e)
    return np.asarray(~(not_worse & better).any(axis=0))
