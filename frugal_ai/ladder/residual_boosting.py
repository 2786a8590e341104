"""A basis ridge, and gradient boosting on what it leaves."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt, Le
from spox import Var

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._lightgbm import Trees, TreeSettings, fit_trees
from frugal_ai.ladder._linear import (
    COMMON,
    LinearModel,
    linear_model,
    moments,
    out_of_fold,
    recency,
    tune_alpha,
)
from frugal_ai.ladder.ridge import ALPHAS, Alphas
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
class LinearAndTrees:
    """A linear model on all columns plus trees on the plain ones, which come first."""

    linear: LinearModel
    trees: Trees
    plain: int

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        return self.linear.predict(features) + self.trees.predict(features[:, :, : self.plain])

    @property
    def reads(self) -> BoolArray:
        """Which features matter to either [F]."""
        read = self.linear.reads
        read[: self.plain] |= self.trees.reads
        return read

    def kept(self, columns: IntArray) -> "LinearAndTrees":
        """Return the same model on some features [K], ascending, which hold all that matter."""
        plain = columns[columns < self.plain]
        if not len(plain):
            return LinearAndTrees(self.linear.kept(columns), self.trees, self.plain)
        return LinearAndTrees(self.linear.kept(columns), self.trees.kept(plain), len(plain))

    def to_onnx(self, features: Var) -> Var:
        """Append both to a graph, float32 [B, H]."""
        start, end, axis = (const([i], np.int64) for i in (0, self.plain, 2))
        plain = op.slice(features, start, end, axis)
        horizon = len(self.linear.bias)
        trees = self.trees.to_onnx(plain, self.plain, horizon)
        return op.add(self.linear.to_onnx(features), trees)


class ResidualBoosting(TreeSettings):
    """Basis ridge plus LightGBM on its residuals.

    The residuals are out of fold: those of the rows that a ridge has seen are too small.
    """

    rung: Literal["residual_boosting"] = "residual_boosting"
    alphas: Alphas = ALPHAS
    folds: Annotated[int, Ge(2)] = 4
    trees: Annotated[int, Ge(1)] = 300
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.05
    rows_per_leaf: Annotated[int, Ge(1)] = 60
    half_life: Duration | None = timedelta(days=730)
    family: ClassVar[Family] = "boosting"
    summary: ClassVar[str] = "basis ridge, and LightGBM on its out-of-fold residuals"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        return recipe.features + recipe.basis

    def fit(self, rows: Rows) -> Fitted:
        sums = moments(rows, self.folds, recency(rows, self.half_life))
        alpha = tune_alpha(sums, (*self.alphas, COMMON))
        residual = rows.target - out_of_fold(sums, alpha)
        plain = rows.features[:, :, : rows.plain]
        trees = fit_trees(plain, residual, self, rows.seed)
        return LinearAndTrees(linear_model(sums, sums.solve(alpha)), trees, rows.plain)


RUNG = ResidualBoosting
