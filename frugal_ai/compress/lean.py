"""A perceptron that reads as few families of features as it can do with.

Every family costs a graph some nodes, however few its columns, and nodes are what a forecast takes
its time for. Rectified units make products and splines dispensable, and weights for each lead time
the lead time itself; what else can go is tried out.
"""

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge

from frugal_ai.compress.families import COMPOSED, FIXED
from frugal_ai.compress.mlp import Mlp
from frugal_ai.data.calendar import WEEK_S
from frugal_ai.errors import RungError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import BoolArray, Fitted, Rows
from frugal_ai.settings import Settings

_TRIAL = {"linear": 12, "units": 0, "seeds": 1, "epochs": 0}
"""A ridge in few directions, which takes no training and has nothing random."""


class Lean(Settings):
    """A perceptron on some families of features, chosen on held-out weeks.

    One family after the other is left out, the last ones of the recipe first, and stays out where
    a linear model forecasts held-out weeks next to as well without: a recipe names first what
    matters most.

    Attributes
    ----------
    mlp
        What is trained in the end.
    held
        One week in so many is held out of the trials.
    tolerance
        Share by which the error may be above the least one so far.
    """

    label: str
    mlp: Mlp
    held: Annotated[int, Ge(2)] = 5
    tolerance: Annotated[float, Ge(0)] = 0.005

    @property
    def name(self) -> str:
        """What it is called in a table."""
        return self.label

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        """Choose the features that it may read."""
        return self.mlp.blocks(recipe)

    def fit(self, rows: Rows) -> Fitted:
        """Learn from training rows.

        Raises
        ------
        RungError
            If there are too few origins, or it is not known which features belong together.
        """
        if len(rows.families) != rows.features.shape[2]:
            raise RungError(
                f"expected a family for each of {rows.features.shape[2]} features, "
                f"got {len(rows.families)}"
            )
        left = [name for name in dict.fromkeys(rows.families) if name not in (COMPOSED, FIXED)]
        held = rows.origin // WEEK_S % self.held == 0
        if not held.all() and np.isfinite(rows.target[held]).any():
            left = self._chosen(left, rows, held)
        return self.mlp.fit(_only(rows, left))

    def _chosen(self, left: list[str], rows: Rows, held: BoolArray) -> list[str]:
        """Leave out what linear models do without."""
        least = self._error(_only(rows, left), held)
        for name in left[::-1]:
            fewer = [one for one in left if one != name]
            error = self._error(_only(rows, fewer), held) if fewer else np.inf
            if error <= least * (1 + self.tolerance):
                left, least = fewer, min(least, error)
        return left

    def _error(self, rows: Rows, held: BoolArray) -> float:
        """Return the error on held-out weeks of a linear model of the others."""
        seen = replace(
            rows, features=rows.features[~held], target=rows.target[~held],
            origin=rows.origin[~held],
        )  # fmt: skip
        forecast = self.mlp.model_copy(update=_TRIAL).fit(seen).predict(rows.features[held])
        return float(np.nanmean(np.abs(forecast - rows.target[held])))


def _only(rows: Rows, families: list[str]) -> Rows:
    """Return rows where the features of other families say nothing."""
    kept = np.isin(rows.families, families)
    return replace(rows, features=rows.features * kept.astype(np.float32))
