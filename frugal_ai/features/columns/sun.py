"""The direction of the sun as a sum of even rotations, in numbers that a graph can hold.

The position is that of the Astronomical Almanac (Michalsky 1988, Solar Energy 40(3)), good to 0.01
degrees from 1950 to 2050. The ecliptic longitude is ``L + 1.915 sin g + 0.020 sin 2g``; the mean
longitude L and the mean anomaly g grow evenly. So ``exp(i longitude)`` is a sum of
``c_j exp(i (L + j g))``, and so is everything that is linear in it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from frugal_ai.data.calendar import DAY_S

FloatArray = NDArray[np.float64]

_J2000 = 946_728_000  # 2000-01-01 12:00 UTC [unix s]
_DEGREE = np.pi / 180
_OBLIQUITY = 23.437 * _DEGREE  # of 2005 to 2030, to 0.003 degrees
_OVERTONES = 2  # of the anomaly; what is left out is below 1e-5
_OVERTONES_OF_TILT = 1  # where they count by (1 - cos obliquity) / 2
_SAMPLES = 64  # of a turn, many more than overtones


class Rotations(NamedTuple):
    """Angles that grow evenly with the time."""

    rate: FloatArray  # [rad/s]
    phase: FloatArray  # at the time 0 [rad]


def _angle(start: float, per_day: float) -> Rotations:
    """Return an angle of Unix time from degrees at J2000 and degrees a day."""
    rate = per_day * _DEGREE / DAY_S
    return Rotations(np.array(rate), np.array(start * _DEGREE - rate * _J2000))


_LONGITUDE = _angle(280.460, 0.9856474)
_ANOMALY = _angle(357.528, 0.9856003)
_SIDEREAL = _angle(280.46062, 360.98564736629)  # of Greenwich


def zenith() -> tuple[Rotations, NDArray[np.bool_]]:
    """Return what the six numbers of the sun are multiplied by, around the middle of a day.

    Returns
    -------
    Rotations
        Of the seconds since the middle; their sines are to be taken [6].
    NDArray
        Which of them turn with the earth [6]: to these the longitude of a place is added, and their
        sines count by the cosine of its latitude; the others count by the sine.
    """
    earth, year = _SIDEREAL.rate, _LONGITUDE.rate
    rates = np.repeat([earth + year, earth - year, year], 2)
    return Rotations(rates, np.tile([np.pi / 2, 0.0], 3)), np.arange(6) < 4


def sun() -> tuple[Rotations, FloatArray]:
    """Return six numbers of the sun in the middle of a day as a sum of rotations.

    Take a frame that stands as the earth does then, z along its axis, and count time since then as
    an angle u that makes a turn a year. The sun is at ``p cos u + q sin u``, to 2e-6. Multiplied by
    the direction of a zenith that has turned by b since then, this is a sum over the cosines and
    sines of b + u, b - u and u, with these six numbers.

    Returns
    -------
    Rotations
        Of Unix time [A].
    ndarray
        What to multiply their sines by [6, A].
    """
    angles, weights = [], []
    for j, share in _harmonics():
        size = (_LONGITUDE.rate + j * _ANOMALY.rate) / _LONGITUDE.rate
        near, far = (share * (1 + sign * np.cos(_OBLIQUITY)) / 2 for sign in (1, -1))
        # x, y and z of each term, whose real parts count; the second one is seen from behind
        terms = {-1: [near, -1j * near, 0], 0: [0, 0, -1j * share * np.sin(_OBLIQUITY)]}
        if abs(j) <= _OVERTONES_OF_TILT:
            terms[1] = [far, 1j * far, 0]
        for turns, p in terms.items():
            weight = _six(np.array(p), 1j * size * np.array(p))
            both = zip(_LONGITUDE, _ANOMALY, _SIDEREAL, strict=True)
            rate, phase = (once + j * again + turns * earth for once, again, earth in both)
            angles += [(rate, phase + np.pi / 2), (rate, phase)]
            weights += [weight.real, -weight.imag]
    return Rotations(*np.array(angles).T), np.stack(weights, axis=1)


def _six(p: NDArray[np.complex128], q: NDArray[np.complex128]) -> NDArray[np.complex128]:
    (x, y, z), (x_late, y_late, z_late) = p, q
    return np.array([
        (x - y_late) / 2, (y + x_late) / 2, (x + y_late) / 2, (y - x_late) / 2, z, z_late,
    ])  # fmt: skip


def _harmonics() -> list[tuple[int, float]]:
    """Return the overtones j of the anomaly and their c_j."""
    anomaly = 2 * np.pi * np.arange(_SAMPLES) / _SAMPLES
    centre = (1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)) * _DEGREE
    found = np.fft.fft(np.exp(1j * centre)) / _SAMPLES
    return [(j, float(found[j].real)) for j in range(-_OVERTONES, _OVERTONES + 1)]
