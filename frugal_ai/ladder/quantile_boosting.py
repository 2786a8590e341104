"""Gradient boosting of quantiles on the recipe's features."""

from typing import ClassVar, Literal

from frugal_ai.ladder._levels import MEDIAN, FittedLevels
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.rung import Fitted, Rows


class QuantileBoosting(Boosting):
    """LightGBM on the pinball loss, with trees for each level; the median is the forecast."""

    rung: Literal["quantile_boosting"] = "quantile_boosting"  # type: ignore[assignment]  # narrower
    summary: ClassVar[str] = "LightGBM of median and quantiles, relative to the recent level"

    def fit(self, rows: Rows) -> Fitted:
        models = {level: self.fit_loss(rows, level) for level in {MEDIAN, *rows.levels}}
        return FittedLevels(models[MEDIAN], tuple(models[level] for level in rows.levels))


RUNG = QuantileBoosting
