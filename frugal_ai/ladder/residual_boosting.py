"""A basis ridge, and gradient boosting on what it leaves."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt, MinLen
from spox import Var

from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._lightgbm import Trees, TreeSettings, fit_trees
from frugal_ai.ladder._linear import LinearModel, linear_model, moments, out_of_fold, tune_alpha
from frugal_ai.ladder.rung import Family, Fitted, Float32Array, FloatArray, Rows


@dataclass(frozen=True)
class LinearAndTrees:
    """A linear model on all columns plus trees on the plain ones, which come first."""

    linear: LinearModel
    trees: Trees
    plain: int

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        return self.linear.predict(features) + self.trees.predict(features[:, :, : self.plain])

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
    alphas: Annotated[tuple[Annotated[float, Gt(0)], ...], MinLen(1)] = (1e-4, 1e-3, 1e-2, 1e-1)
    folds: Annotated[int, Ge(2)] = 4
    family: ClassVar[Family] = "boosting"
    summary: ClassVar[str] = "basis ridge, and LightGBM on its out-of-fold residuals"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        return recipe.features + recipe.basis

    def fit(self, rows: Rows) -> Fitted:
        sums = moments(rows, self.folds)
        alpha = tune_alpha(rows, sums, self.alphas)
        residual = rows.target - out_of_fold(rows, sums, alpha)
        plain = rows.features[:, :, : rows.plain]
        trees = fit_trees(plain, residual, self, rows.seed)
        return LinearAndTrees(linear_model(sums, alpha), trees, rows.plain)


RUNG = ResidualBoosting
