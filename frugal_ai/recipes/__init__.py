"""Default recipes, one file for each kind of target."""

import importlib
from typing import Literal

from frugal_ai.features.recipe import Recipe
from frugal_ai.recipes.setting import Setting

Kind = Literal["load", "pv", "wind", "intensity"]


def default_recipe(kind: Kind, setting: Setting) -> Recipe:
    """Return the recipe for a kind of target.

    Raises
    ------
    PipelineError
        If the kind needs something that the setting lacks.
    """
    recipe: Recipe = importlib.import_module(f"{__name__}.{kind}").recipe(setting)
    return recipe
