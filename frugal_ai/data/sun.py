"""Where the sun stands, and what of it reaches the ground."""

import numpy as np

from frugal_ai.data.calendar import DAY_S
from frugal_ai.data.panel import FloatArray, IntArray

_YEAR_DAYS = 365.2425


def year_angle(times: IntArray) -> FloatArray:
    """Return how far the year has gone at instants [unix s], as an angle [rad]."""
    angle: FloatArray = 2.0 * np.pi * ((times / DAY_S) % _YEAR_DAYS) / _YEAR_DAYS
    return angle


def cos_zenith(times: IntArray, latitude: float, longitude: float) -> FloatArray:
    """Return the cosine of the sun's zenith angle, negative at night.

    Declination and equation of time by the Fourier series of Spencer, "Fourier series
    representation of the position of the sun", Search 2 (1971).

    Parameters
    ----------
    times
        Instants [unix s].
    latitude, longitude
        Of the place, north and east positive [degrees].
    """
    angle = year_angle(times)
    declination = (
        0.006918
        - 0.399912 * np.cos(angle)
        + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle)
        + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle)
        + 0.00148 * np.sin(3 * angle)
    )
    equation_of_time = (  # [rad]
        0.0000075
        + 0.001868 * np.cos(angle)
        - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle)
        - 0.040849 * np.sin(2 * angle)
    )
    hour_angle = (
        2.0 * np.pi * ((times % DAY_S) / DAY_S - 0.5) + np.radians(longitude) + equation_of_time
    )
    phi = np.radians(latitude)
    cosine: FloatArray = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(
        declination
    ) * np.cos(hour_angle)
    return cosine


def clear_sky_irradiance(cosine: FloatArray) -> FloatArray:
    """Return global horizontal irradiance under a clear sky [W/m2].

    Haurwitz, "Insolation in relation to cloudiness and cloud density", J. Meteorology 2 (1945).

    Parameters
    ----------
    cosine
        Of the sun's zenith angle.
    """
    up = np.maximum(cosine, 1e-3)
    return np.where(cosine > 0, 1098.0 * up * np.exp(-0.057 / up), 0.0)


def cloudy_irradiance(clear_sky: FloatArray, cloud_cover: FloatArray) -> FloatArray:
    """Return global horizontal irradiance under clouds [W/m2].

    Kasten and Czeplak, "Solar and terrestrial radiation dependent on the amount and type of cloud",
    Solar Energy 24 (1980).

    Parameters
    ----------
    clear_sky
        Irradiance without clouds [W/m2].
    cloud_cover
        Share of the sky that is covered, 0 to 1.
    """
    irradiance: FloatArray = clear_sky * (1.0 - 0.75 * cloud_cover**3.4)
    return irradiance
