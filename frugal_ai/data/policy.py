"""What is done about data that are not as they should be."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from frugal_ai.settings import Duration, Settings

Fill = Literal["linear", "previous", "none"]


class QualityPolicy(Settings):
    """The declared policy; what it does not allow is refused, what it changes is reported.

    Attributes
    ----------
    duplicates
        Rows of one series at one timestamp: refused, or the first or the mean is taken.
    unsorted
        Rows out of the order of time: sorted or refused.
    max_gap
        The longest gap that is filled; a longer one within the period in use is refused.
    fill
        How the history of a forecast is filled before the first origin: on the straight line
        between its neighbours or with the previous value. After it, always with the previous
        value. ``none`` refuses every gap.
    minimum, maximum
        The least and the greatest possible value, in the unit of the series.
    outside
        Impossible values: refused or taken for missing.
    flatline
        A value that stands still for this long is stuck.
    stuck
        Stuck values: reported or refused.
    jump
        A level that rises or falls by this factor at once is a change of unit.
    jumps
        Changes of unit: reported or refused.
    """

    duplicates: Literal["refuse", "first", "mean"] = "refuse"
    unsorted: Literal["sort", "refuse"] = "sort"
    max_gap: Duration = Field(default="6h", validate_default=True)
    fill: Fill = "linear"
    minimum: float | None = None
    maximum: float | None = None
    outside: Literal["refuse", "missing"] = "refuse"
    flatline: Duration = Field(default="7d", validate_default=True)
    stuck: Literal["report", "refuse"] = "report"
    jump: Annotated[float, Field(gt=1.0)] = 10.0
    jumps: Literal["report", "refuse"] = "report"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if None not in (self.minimum, self.maximum) and self.minimum >= self.maximum:  # type: ignore[operator]
            raise ValueError(
                f"expected minimum < maximum, got minimum {self.minimum}, maximum {self.maximum}"
            )
        return self
