"""Ridge on the recipe's features."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, MinLen

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._linear import COMMON, linear_model, moments, recency, tune_alpha
from frugal_ai.ladder.rung import Family, Fitted, Rows, Rung
from frugal_ai.settings import Duration

Alphas = Annotated[tuple[Annotated[float, Gt(0)], ...], MinLen(1)]
ALPHAS = (1e-4, 1e-3, 1e-2, 1e-1)


class Ridge(Rung):
    """One ridge for each lead time on the plain features.

    ``alphas`` are penalties per training row on what sets the weights of a lead time apart from
    those common to all; the best of them, or common weights, by cross-validation over interleaved
    weeks is taken, from moments that are computed once. After the ``half_life`` a row counts half.
    """

    rung: Literal["ridge"] = "ridge"
    alphas: Alphas = ALPHAS
    folds: Annotated[int, Ge(2)] = 4
    half_life: Duration | None = timedelta(days=730)
    family: ClassVar[Family] = "linear"
    summary: ClassVar[str] = "ridge per lead time on the features"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        return recipe.features

    def fit(self, rows: Rows) -> Fitted:
        sums = moments(rows, self.folds, recency(rows, self.half_life))
        alpha = tune_alpha(sums, (*self.alphas, COMMON))
        return linear_model(sums, sums.solve(alpha))


RUNG = Ridge
