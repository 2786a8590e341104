"""The same time one season ago."""

from datetime import timedelta
from typing import ClassVar, Literal

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.lag import Lag
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.persistence import FirstColumn
from frugal_ai.ladder.rung import Family, Fitted, Rows, Rung
from frugal_ai.settings import Duration, format_duration


class SeasonalNaive(Rung):
    """Repeats the latest known season, a day or a week; learns nothing."""

    rung: Literal["seasonal_naive"] = "seasonal_naive"
    season: Duration = timedelta(days=1)
    family: ClassVar[Family] = "naive"
    summary: ClassVar[str] = "the value one season ago (season: 1d or 7d)"

    @property
    def name(self) -> str:
        return self.label or f"{self.rung}_{format_duration(self.season)}"

    def blocks(self, recipe: Recipe | None = None) -> tuple[Block, ...]:  # noqa: ARG002 - its own
        return (Lag(feature="lag", at=(self.season,)),)

    def fit(self, rows: Rows) -> Fitted:  # noqa: ARG002 - learns nothing
        return FirstColumn()


RUNG = SeasonalNaive
