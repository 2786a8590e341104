"""One value for a country, from the table of factors: nothing can be gained by waiting."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from frugal_ai.cost.factors import Factors
from frugal_ai.cost.intensity.point import Base, Point

BASE = Base("lifecycle", "average", "production")
"""Of the table's figures, which are those of Our World in Data."""


@dataclass(frozen=True)
class Constant:
    """The mean of a year, at any time.

    Attributes
    ----------
    country
        ISO 3166-1 alpha-3 code.
    factors
        Where it is looked up.
    """

    country: str
    factors: Factors

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Return one point over the whole span.

        Raises
        ------
        CostError
            If the country is not in the table.
        """
        factor = self.factors.intensity(self.country)
        seconds = max(1, -(-(end - start) // timedelta(seconds=1)))
        return (Point(start, seconds, factor.value, BASE, estimated=True, source=factor.source),)
