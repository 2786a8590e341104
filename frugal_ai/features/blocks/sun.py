"""Where the sun stands and what a clear sky would let through, from time and place alone."""

from abc import ABC
from datetime import timedelta
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, MinLen

from frugal_ai.data.calendar import DAY_S
from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.column import Column
from frugal_ai.features.columns.sky import OfSky, Sky, SkyLevel
from frugal_ai.features.grid import Grid, position
from frugal_ai.settings import Duration, Settings, format_duration


class Place(Settings):
    """A place on earth [degrees, north and east positive]."""

    latitude: Annotated[float, Ge(-90), Le(90)]
    longitude: Annotated[float, Ge(-180), Le(180)]


Places = Annotated[tuple[Place, ...], MinLen(1)] | Literal["static"]


class UnderTheSky(Block, ABC):
    """What follows from the height of the sun over some places.

    ``places: static`` takes the static covariates latitude and longitude of each series. What is
    said of an interval is the mean over ``samples`` instants in it: production is a mean, too.
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

    def sky(self, grid: Grid) -> Sky:
        """Return the sun over the places of a series."""
        sites = tuple((place.latitude, place.longitude) for place in self.sites(grid))
        static = {"latitude", "longitude"} if self.places == "static" else ()
        return Sky(sites, self.samples, frozenset(static))


class Sun(UnderTheSky):
    """Height of the sun and clear-sky irradiance on the horizontal [W/m2], mean over places.

    ``sun_height`` is the cosine of the zenith angle, 0 at night; ``clear_sky`` is 0 at night.
    """

    feature: Literal["sun"]

    def columns(self, grid: Grid) -> tuple[str, ...]:
        self.sites(grid)
        return ("sun_height", "clear_sky")

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        return OfSky(self.sky(grid), "height"), OfSky(self.sky(grid), "clear")


class ClearSkyLevel(UnderTheSky):
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
        if min(self._steps(grid, window) for window in self.window) * grid.step_s < DAY_S:
            raise PipelineError("recipe: clear_sky_level.window: expected at least 1d")
        return super().reach(grid)

    def expressions(self, grid: Grid) -> tuple[Column, ...]:
        sky = self.sky(grid)
        return tuple(SkyLevel(sky, "clear", self._steps(grid, window)) for window in self.window)

    def _steps(self, grid: Grid, window: timedelta) -> int:
        return grid.steps(window, "recipe: clear_sky_level.window")
