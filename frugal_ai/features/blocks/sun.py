"""Where the sun stands and what a clear sky would let through, from time and place alone."""

from abc import ABC
from datetime import timedelta
from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt, Le, MinLen
from spox import Var

from frugal_ai.data.calendar import DAY_S
from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import BuiltBlock, Reach
from frugal_ai.features.columns.origin import trailing
from frugal_ai.features.frame import TARGET, Frame, const, cut
from frugal_ai.features.grid import Grid, position
from frugal_ai.settings import Duration, Settings, format_duration

_J2000 = 946_728_000  # 2000-01-01 12:00 UTC [unix s]
_DEGREE = np.pi / 180


class Place(Settings):
    """A place on earth [degrees, north and east positive]."""

    latitude: Annotated[float, Ge(-90), Le(90)]
    longitude: Annotated[float, Ge(-180), Le(180)]


Places = Annotated[tuple[Place, ...], MinLen(1)] | Literal["static"]


class Sky(BuiltBlock, ABC):
    """What follows from the height of the sun over some places.

    ``places: static`` takes the static covariates latitude and longitude of each series. What is
    said of an interval is the mean over ``samples`` instants in it: production is a mean, too.

    The sun's position is that of the Astronomical Almanac (Michalsky 1988, Solar Energy 40(3)),
    good to 0.01 degrees from 1950 to 2050; clear-sky irradiance is that of Haurwitz (1945, Journal
    of Meteorology 2), 1098 cos z exp(-0.057 / cos z).
    """

    places: Places
    samples: Annotated[int, Gt(0)] = 4

    def sites(self, grid: Grid) -> tuple[Place, ...]:
        """Return the places of a series.

        Raises
        ------
        PipelineError
            If latitude or longitude are not among its static covariates.
        """
        if self.places != "static":
            return self.places
        for name in ("latitude", "longitude"):
            position(name, tuple(grid.static), "static")
        return (Place(latitude=grid.static["latitude"], longitude=grid.static["longitude"]),)

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - the sun needs no history
        return Reach(static=self.facts)

    @property
    def facts(self) -> frozenset[str]:
        """Static covariates that the places come from."""
        return frozenset({"latitude", "longitude"}) if self.places == "static" else frozenset()

    def ahead(self, frame: Frame) -> tuple[Var, Var]:
        """Cosine of the zenith angle and clear-sky irradiance [W/m2] of the targets, [B, H]."""
        columns = frame.once(
            (self.places, self.samples), lambda: self._sky(frame.target, frame.grid)
        )
        return cut_at(columns, 0), cut_at(columns, 1)

    def behind(self, frame: Frame, steps: int) -> Var:
        """Clear-sky irradiance [W/m2] of the last steps before the origin, [B, steps]."""
        back = np.arange(-steps, 0)[None] * frame.grid.step_s
        origin = op.unsqueeze(frame.inputs["origin"], const([1], np.int64))
        starts = op.add(origin, const(back, np.int64))
        return frame.once(
            (self.places, self.samples, steps),
            lambda: cut_at(self._sky(starts, frame.grid), 1),
        )

    def _sky(self, starts: Var, grid: Grid) -> Var:
        """Mean height and mean clear-sky irradiance of intervals [B, n], [2, B, n]."""
        middle = (np.arange(self.samples) + 0.5) / self.samples * grid.step_s - _J2000
        seconds = op.unsqueeze(op.cast(starts, to=np.float64), const([2], np.int64))
        days = op.div(op.add(seconds, const(middle, np.float64)), const(DAY_S, np.float64))
        days = op.unsqueeze(days, const([3], np.int64))
        height = op.relu(_cos_zenith(days, self.sites(grid)))
        # the exponent goes to minus infinity at the horizon, and with it the irradiance to 0
        safe = op.max([height, const(1e-6, np.float64)])
        dimmed = op.exp(op.div(const(-0.057, np.float64), safe))
        clear = op.mul(op.mul(const(1098.0, np.float64), height), dimmed)
        both = op.concat([op.unsqueeze(x, const([0], np.int64)) for x in (height, clear)], axis=0)
        return op.reduce_mean(both, axes=[3, 4], keepdims=0)


class Sun(Sky):
    """Height of the sun and clear-sky irradiance on the horizontal [W/m2], mean over places.

    ``sun_height`` is the cosine of the zenith angle, 0 at night; ``clear_sky`` is 0 at night.
    """

    feature: Literal["sun"]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        self.sites(grid)
        return ("sun_height", "clear_sky")

    def build(self, frame: Frame) -> Var:
        columns = [op.unsqueeze(x, const([2], np.int64)) for x in self.ahead(frame)]
        return op.cast(op.concat(columns, axis=2), to=np.float32)


class ClearSkyLevel(Sky):
    """What the target would be if as much of the clear sky came through as in the last days.

    The sum of the target over each window, over that of clear-sky irradiance, times that of the
    target interval: a clear-sky index that also follows capacity which nobody has reported yet.
    """

    feature: Literal["clear_sky_level"]
    window: Annotated[tuple[Duration, ...], MinLen(1)]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        self.sites(grid)
        self.reach(grid)
        return tuple(f"clear_sky_level_{format_duration(window)}" for window in self.window)

    def reach(self, grid: Grid) -> Reach:
        steps = [self._steps(grid, window) for window in self.window]
        if min(steps) * grid.step_s < DAY_S:
            raise PipelineError("recipe: clear_sky_level.window: expected at least 1d")
        return Reach(max(steps), static=self.facts)

    def build(self, frame: Frame) -> Var:
        widest = max(self._steps(frame.grid, window) for window in self.window)
        shine, power = self.behind(frame, widest), trailing(frame, frame.signal(TARGET), widest)
        _, ahead = self.ahead(frame)
        columns = []
        for window in self.window:
            steps = self._steps(frame.grid, window)
            sums = [
                op.reduce_sum(cut(x, widest - steps, widest), const([1], np.int64), keepdims=1)
                for x in (power, shine)
            ]
            # a polar night lets nothing through; then nothing is expected either
            index = op.div(sums[0], op.max([sums[1], const(1.0, np.float64)]))  # [B, 1]
            columns.append(op.unsqueeze(op.mul(index, ahead), const([2], np.int64)))
        return op.cast(op.concat(columns, axis=2), to=np.float32)

    def _steps(self, grid: Grid, window: timedelta) -> int:
        return grid.steps(window, "recipe: clear_sky_level.window")


def cut_at(stacked: Var, index: int) -> Var:
    """Take one tensor out of several that are stacked along the first axis."""
    return op.gather(stacked, const(index, np.int64), axis=0)


def _cos_zenith(days: Var, places: tuple[Place, ...]) -> Var:
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
    east = np.array([place.longitude for place in places]) * _DEGREE
    north = np.array([place.latitude for place in places]) * _DEGREE
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
