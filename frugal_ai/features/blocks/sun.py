"""Where the sun stands and what a clear sky would let through, from time and place alone."""

from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt, Le, MinLen
from spox import Var

from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import Frame, const
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Settings

_J2000 = 946_728_000  # 2000-01-01 12:00 UTC [unix s]
_DEGREE = np.pi / 180


class Place(Settings):
    """A place on earth [degrees, north and east positive]."""

    latitude: Annotated[float, Ge(-90), Le(90)]
    longitude: Annotated[float, Ge(-180), Le(180)]


class Sun(Block):
    """Height of the sun and clear-sky irradiance on the horizontal [W/m2], mean over places.

    Both are means over ``samples`` instants in each target interval: production is a mean, too.
    ``sun_height`` is the cosine of the zenith angle, 0 at night; ``clear_sky`` is 0 at night.

    The sun's position is that of the Astronomical Almanac (Michalsky 1988, Solar Energy 40(3)),
    good to 0.01 degrees from 1950 to 2050; the irradiance is that of Haurwitz (1945, Journal of
    Meteorology 2), 1098 cos z exp(-0.057 / cos z).
    """

    feature: Literal["sun"]
    places: Annotated[tuple[Place, ...], MinLen(1)]
    samples: Annotated[int, Gt(0)] = 4

    def columns(self, grid: Grid) -> tuple[str, ...]:  # noqa: ARG002 - always these
        return ("sun_height", "clear_sky")

    def build(self, frame: Frame) -> Var:
        middle = (np.arange(self.samples) + 0.5) / self.samples * frame.grid.step_s - _J2000
        seconds = op.unsqueeze(op.cast(frame.target, to=np.float64), const([2], np.int64))
        days = op.div(op.add(seconds, const(middle, np.float64)), const(DAY_S, np.float64))
        height = op.relu(self._cos_zenith(op.unsqueeze(days, const([3], np.int64))))
        # the exponent goes to minus infinity at the horizon, and with it the irradiance to 0
        safe = op.max([height, const(1e-6, np.float64)])
        dimmed = op.exp(op.div(const(-0.057, np.float64), safe))
        clear = op.mul(op.mul(const(1098.0, np.float64), height), dimmed)
        columns = [op.reduce_mean(x, axes=[2, 3], keepdims=0) for x in (height, clear)]
        return op.cast(
            op.concat([op.unsqueeze(x, const([2], np.int64)) for x in columns], axis=2),
            to=np.float32,
        )

    def _cos_zenith(self, days: Var) -> Var:
        """Cosine of the zenith angle at days since J2000 [B, H, n, 1], float64 [B, H, n, places].

        It is the product of two unit vectors in equatorial coordinates, to the sun and to the
        zenith.
        """
        anomaly = _line(days, 357.528, 0.9856003)
        longitude = op.add(
            _line(days, 280.460, 0.9856474),
            op.add(
                op.mul(op.sin(anomaly), const(1.915 * _DEGREE, np.float64)),
                op.mul(
                    op.sin(op.mul(anomaly, const(2.0, np.float64))),
                    const(0.020 * _DEGREE, np.float64),
                ),
            ),
        )
        obliquity = 23.437 * _DEGREE  # of 2005 to 2030, to 0.003 degrees
        along, across = _cos(longitude), op.sin(longitude)
        east = np.array([place.longitude for place in self.places]) * _DEGREE
        north = np.array([place.latitude for place in self.places]) * _DEGREE
        sidereal = op.add(_line(days, 280.46062, 360.98564736629), const(east, np.float64))
        equator = op.add(
            op.mul(along, _cos(sidereal)),
            op.mul(op.mul(across, const(np.cos(obliquity), np.float64)), op.sin(sidereal)),
        )
        return op.add(
            op.mul(equator, const(np.cos(north), np.float64)),
            op.mul(across, const(np.sin(obliquity) * np.sin(north), np.float64)),
        )


def _line(days: Var, start: float, per_day: float) -> Var:
    """Return an angle that grows evenly, from degrees to radians."""
    return op.add(
        op.mul(days, const(per_day * _DEGREE, np.float64)), const(start * _DEGREE, np.float64)
    )


def _cos(angle: Var) -> Var:
    return op.sin(op.add(angle, const(np.pi / 2, np.float64)))
