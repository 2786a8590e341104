"""What a model gives for one origin, and how that is checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from frugal_edge.errors import ForecastError
from frugal_edge.manifest import FORECAST, QUANTILES, Manifest
from frugal_edge.tensors import FloatArray

_POSITIVE_ZERO = np.float32(0)  # added, it takes the sign off a zero


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast from one origin [unit of the series].

    Attributes
    ----------
    point
        float32 [H].
    quantiles
        float32 [H, Q] at the levels of the manifest, ascending along the last axis; Q is 0 where
        the model has none.
    """

    point: FloatArray
    quantiles: FloatArray


def usable(manifest: Manifest, outputs: Mapping[str, NDArray[Any]]) -> Forecast:
    """Check the outputs of a graph, any batch axis kept, and make a forecast of them.

    Raises
    ------
    ForecastError
        If a value is not finite or quantiles cross.
    """
    point = outputs[FORECAST]
    quantiles = outputs.get(QUANTILES)
    if quantiles is None:
        quantiles = np.empty((*point.shape, 0), np.float32)
    if not _fine(point, quantiles):
        _refuse(manifest, point, quantiles)
    return Forecast(point + _POSITIVE_ZERO, quantiles + _POSITIVE_ZERO)


def _fine(point: FloatArray, quantiles: FloatArray) -> bool:
    if not np.isfinite(point).all():
        return False
    ascending = (quantiles[..., 1:] >= quantiles[..., :-1]).all()  # false where one is NaN
    return bool(ascending and np.isfinite(quantiles).all())


def _refuse(manifest: Manifest, point: FloatArray, quantiles: FloatArray) -> NoReturn:
    for name, values in ((FORECAST, point[..., None]), (QUANTILES, quantiles)):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            *_, step, level = (int(i) for i in bad[0])
            of = f" at level {manifest.quantiles[level]:g}" if name == QUANTILES else ""
            raise ForecastError(
                f"the model gave {values[tuple(bad[0])]}{of} for step {step} of the horizon"
            )
    *row, step, level = (int(i) for i in np.argwhere(np.diff(quantiles, axis=-1) < 0)[0])
    low, high = manifest.quantiles[level : level + 2]
    below, above = quantiles[(*row, step)][level : level + 2]
    raise ForecastError(
        f"the model gave quantiles that cross for step {step} of the horizon: "
        f"{below} at level {low:g}, {above} at {high:g}"
    )
