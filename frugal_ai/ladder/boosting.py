"""Gradient boosting on the recipe's features."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt, Le
from spox import Var

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.rolling import Rolling
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._lightgbm import Trees, TreeSettings, fit_trees
from frugal_ai.ladder.rung import (
    BoolArray,
    Family,
    Fitted,
    Float32Array,
    FloatArray,
    IntArray,
    Rows,
)
from frugal_ai.settings import Duration


@dataclass(frozen=True)
class PlainTrees:
    """Trees alone."""

    trees: Trees
    shape: tuple[int, int]  # H, F

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        return self.trees.predict(features)

    @property
    def reads(self) -> BoolArray:
        """Which features matter [F]."""
        return self.trees.reads

    def kept(self, columns: IntArray) -> "PlainTrees":
        """Return the same model on some features [K], which hold all that matter."""
        return PlainTrees(self.trees.kept(columns), (self.shape[0], len(columns)))

    def to_onnx(self, features: Var) -> Var:
        """Append the trees to a graph, float32 [B, H]."""
        horizon, width = self.shape
        return self.trees.to_onnx(features, width, horizon)


@dataclass(frozen=True)
class TreesOnLevel:
    """Trees that add to the level, which is the first feature."""

    trees: Trees
    shape: tuple[int, int]  # H, F

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        return features[:, :, 0].astype(np.float64) + self.trees.predict(features)

    @property
    def reads(self) -> BoolArray:
        """Which features matter [F]; the level always does."""
        return np.asarray(self.trees.reads | (np.arange(self.shape[1]) == 0))

    def kept(self, columns: IntArray) -> "TreesOnLevel":
        """Return the same model on some features [K], ascending, which hold all that matter."""
        return TreesOnLevel(self.trees.kept(columns), (self.shape[0], len(columns)))

    def to_onnx(self, features: Var) -> Var:
        """Append level and trees to a graph, float32 [B, H]."""
        horizon, width = self.shape
        level = op.gather(features, const(0, np.int64), axis=2)
        return op.add(level, self.trees.to_onnx(features, width, horizon))


class Boosting(TreeSettings):
    """LightGBM on the plain features, on the distance from the level of the last days.

    Trees cannot leave the range of what they have seen; the level can. What stays within the same
    range for ever, such as production per capacity, needs no level.
    """

    rung: Literal["boosting"] = "boosting"
    level: Duration | None = timedelta(days=7)
    trees: Annotated[int, Ge(1)] = 300
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.045
    rows_per_leaf: Annotated[int, Ge(1)] = 40
    family: ClassVar[Family] = "boosting"
    summary: ClassVar[str] = "LightGBM on the features, relative to the recent level"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        if self.level is None:
            return recipe.features
        level = Rolling(feature="rolling", window=(self.level,), stats=("mean",))
        return (level, *recipe.features)

    def fit(self, rows: Rows) -> Fitted:
        return self.fit_loss(rows)

    def fit_loss(self, rows: Rows, quantile: float | None = None) -> Fitted:
        """Fit the settings' loss, or the pinball loss of a quantile level."""
        shape = rows.features.shape[1:]
        if self.level is None:
            trees = fit_trees(rows.features, rows.awake, self, rows.seed, quantile)
            return PlainTrees(trees, shape)
        level = rows.features[:, :, 0].astype(np.float64)
        trees = fit_trees(rows.features, rows.awake - level, self, rows.seed, quantile)
        return TreesOnLevel(trees, shape)


RUNG = Boosting
