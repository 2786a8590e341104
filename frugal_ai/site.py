"""Where a target is and how much it can be."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt, MinLen
from numpy.typing import NDArray

from frugal_ai.data.sun import cos_zenith
from frugal_ai.features.blocks.sun import Place
from frugal_ai.settings import Settings


class Site(Settings):
    """Physical facts of a plant or a region.

    Attributes
    ----------
    places
        Where the sun shines on it, for PV: one place or several that stand for a region, ``static``
        for the static covariates latitude and longitude of each series, or ``unknown``.
    capacity
        What can be produced at most: the name of a known covariate that follows it through the
        years [unit of the series], or a number. The target is then learnt per unit of the first.
    """

    places: Annotated[tuple[Place, ...], MinLen(1)] | Literal["static", "unknown"] | None = None
    capacity: str | Annotated[float, Gt(0)] | None = None

    @property
    def sunlit(self) -> tuple[Place, ...] | Literal["static"] | None:
        """The places where the sun can be computed; None where they are unknown."""
        return None if self.places == "unknown" else self.places

    def daylight_at(self, instants: NDArray[np.int64]) -> bool:
        """Say whether the sun may be up at some of these instants [unix s].

        It may where the places are unknown; of those of a panel's series nothing is known here.
        """
        if self.places is None or isinstance(self.places, str):
            return self.places == "unknown"
        heights = [cos_zenith(instants, here.latitude, here.longitude) for here in self.places]
        return bool(np.max(heights) > 0)
