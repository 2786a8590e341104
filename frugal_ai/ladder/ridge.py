"""Ridge on the recipe's features."""

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, MinLen

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._linear import linear_model, moments, tune_alpha
from frugal_ai.ladder.rung import Family, Fitted, Rows, Rung


class Ridge(Rung):
    """One ridge for each lead time on the plain features.

    ``alphas`` are penalties per training row; the best by cross-validation over interleaved weeks
    is taken, from moments that are computed once.
    """

    rung: Literal["ridge"] = "ridge"
    alphas: Annotated[tuple[Annotated[float, Gt(0)], ...], MinLen(1)] = (1e-4, 1e-3, 1e-2, 1e-1)
    folds: Annotated[int, Ge(2)] = 4
    family: ClassVar[Family] = "linear"
    summary: ClassVar[str] = "ridge per lead time on the features"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        return recipe.features

    def fit(self, rows: Rows) -> Fitted:
        sums = moments(rows, self.folds)
        return linear_model(sums, tune_alpha(rows, sums, self.alphas))


RUNG = Ridge
