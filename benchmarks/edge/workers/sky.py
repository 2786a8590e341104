"""Height of the sun and clear-sky irradiance in plain numpy, instant by instant."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_J2000 = 946_728_000  # 2000-01-01 12:00 UTC [unix s]
_OBLIQUITY = np.radians(23.437)


def sky(
    starts: NDArray[np.int64], step_s: int, places: list[dict[str, Any]], samples: int
) -> FloatArray:
    """Return cosine of the zenith angle and irradiance [W/m2], means of intervals and places.

    Parameters
    ----------
    starts
        Of the intervals [n] [unix s].
    samples
        Instants of each interval.

    Returns
    -------
    FloatArray
        [n, 2].
    """
    middle = (np.arange(samples) + 0.5) / samples * step_s - _J2000
    days = ((starts[:, None] + middle) / 86400)[:, :, None]  # [n, samples, 1]
    anomaly = np.radians(357.528 + 0.9856003 * days)
    mean = 280.460 + 0.9856474 * days
    longitude = np.radians(mean + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    north = np.radians([place["latitude"] for place in places])
    east = np.array([place["longitude"] for place in places])
    sidereal = np.radians(280.46062 + 360.98564736629 * days + east)
    across = np.sin(longitude)
    equator = np.cos(longitude) * np.cos(sidereal) + across * np.cos(_OBLIQUITY) * np.sin(sidereal)
    height = np.maximum(equator * np.cos(north) + across * np.sin(_OBLIQUITY) * np.sin(north), 0.0)
    clear = 1098.0 * height * np.exp(-0.057 / np.maximum(height, 1e-6))
    return np.stack([height.mean(axis=(1, 2)), clear.mean(axis=(1, 2))], axis=1)
