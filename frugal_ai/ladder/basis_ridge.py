"""Ridge on the recipe's features and their basis."""

from typing import ClassVar, Literal

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.ridge import Ridge


class BasisRidge(Ridge):
    """One ridge for each lead time on features, splines, Fourier terms and interactions."""

    rung: Literal["basis_ridge"] = "basis_ridge"  # type: ignore[assignment]  # narrower name
    summary: ClassVar[str] = "ridge per lead time on features, splines and interactions"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        return recipe.features + recipe.basis


RUNG = BasisRidge
