"""The error of a rung by how far ahead the target was."""

from typing import Annotated, Self

from annotated_types import Gt
from pydantic import model_validator

from frugal_ai.report.figures import Amount, Bounds, Count
from frugal_ai.settings import Settings

Lead = tuple[int, int]
"""A band of lead times: from one time after the origin up to another [s]."""


class LeadReport(Settings):
    """Error of the targets from one time after the origin up to another, on the test origins.

    Attributes
    ----------
    from_s, to_s
        Where the band begins and ends [s].
    mae, mae_ci
        With its 95 % interval (low, high) [unit of the series]; None with too few origins.
    points
        Targets that it rests on, of all series.
    """

    from_s: Count
    to_s: Annotated[int, Gt(0)]
    mae: Amount
    mae_ci: Bounds | None = None
    points: Annotated[int, Gt(0)]

    @property
    def lead(self) -> Lead:
        """The band."""
        return self.from_s, self.to_s

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.from_s >= self.to_s:
            raise ValueError(f"expected from_s below to_s, got {self.from_s} and {self.to_s}")
        if self.mae_ci is not None and self.mae_ci[0] > self.mae_ci[1]:
            raise ValueError(f"expected [low, high], got {list(self.mae_ci)}")
        return self
