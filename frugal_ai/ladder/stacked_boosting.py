"""Linear quantiles, and gradient boosting of quantiles on the features and on what those say."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge
from spox import Var

from frugal_ai.data.calendar import WEEK_S
from frugal_ai.errors import RungError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._levels import MEDIAN, FittedLevels
from frugal_ai.ladder._lightgbm import TreeSettings, fit_trees
from frugal_ai.ladder.boosting import PlainTrees
from frugal_ai.ladder.linear_quantiles import LinearQuantiles
from frugal_ai.ladder.rung import (
    BoolArray,
    Family,
    Fitted,
    Float32Array,
    FloatArray,
    IntArray,
    Rows,
)


@dataclass(frozen=True)
class Stacked:
    """Linear quantiles of all columns, and trees on the plain ones, which come first, and on these.

    Attributes
    ----------
    linear
        Reads all columns.
    trees
        Read the plain columns and the quantiles of ``linear``.
    plain
        Number of plain columns.
    """

    linear: FittedLevels
    trees: FittedLevels
    plain: int

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast the median [B, H]."""
        return self.trees.predict(self._stacked(features))

    def predict_quantiles(self, features: Float32Array) -> FloatArray:
        """Forecast quantiles [B, H, Q]."""
        return self.trees.predict_quantiles(self._stacked(features))

    @property
    def reads(self) -> BoolArray:
        """Which features matter to either [F]."""
        read = self.linear.reads
        read[: self.plain] |= self.trees.reads[: self.plain]
        return read

    def kept(self, columns: IntArray) -> "Stacked":
        """Return the same model on some features [K], ascending, which hold all that matter."""
        plain = columns[columns < self.plain]
        said = self.plain + np.arange(len(self.linear.levels))
        trees = self.trees.kept(np.concatenate([plain, said]))
        return Stacked(self.linear.kept(columns), trees, len(plain))

    def to_onnx(self, features: Var) -> Var:
        """Append the median to a graph, float32 [B, H]."""
        return self.trees.to_onnx(self._stacked_onnx(features))

    def quantiles_to_onnx(self, features: Var) -> Var:
        """Append the quantiles to a graph, float32 [B, H, Q]."""
        return self.trees.quantiles_to_onnx(self._stacked_onnx(features))

    def _stacked(self, features: Float32Array) -> Float32Array:
        return _stack(features, self.plain, self.linear.predict_quantiles(features))

    def _stacked_onnx(self, features: Var) -> Var:
        start, end, axis = (const([i], np.int64) for i in (0, self.plain, 2))
        plain = op.slice(features, start, end, axis)
        return op.concat([plain, self.linear.quantiles_to_onnx(features)], axis=2)


class StackedBoosting(TreeSettings):
    """LightGBM of quantiles on the plain features and on those of a linear model of all columns.

    The trees are spared what is linear, and see how sure the linear model is of itself. What they
    learn from is out of fold: of rows that it has seen, a model says too much (Wolpert 1992,
    Stacked generalization, Neural Networks 5). Quantiles beside the median are learnt by half as
    many trees that learn twice as fast. For what stays within a range for ever, such as production
    per capacity: trees cannot leave what they have seen.
    """

    rung: Literal["stacked_boosting"] = "stacked_boosting"
    linear: LinearQuantiles = LinearQuantiles()
    folds: Annotated[int, Ge(2)] = 4
    family: ClassVar[Family] = "boosting"
    summary: ClassVar[str] = "linear quantiles, and LightGBM quantiles on the features and these"

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        return self.linear.blocks(recipe)

    def fit(self, rows: Rows) -> Fitted:
        levels = tuple(sorted({MEDIAN, *rows.levels}))
        awake = replace(rows, target=rows.awake, levels=levels)
        stacked = _stack(rows.features, rows.plain, self._out_of_fold(awake))
        fast = {"trees": -(-self.trees // 2), "learning_rate": min(2 * self.learning_rate, 1.0)}
        faster = self.model_copy(update=fast)
        models = {
            level: PlainTrees(
                fit_trees(stacked, awake.target, faster, rows.seed, level)
                if level != MEDIAN
                else fit_trees(stacked, awake.target, self, rows.seed),
                stacked.shape[1:],
            )
            for level in levels
        }
        trees = FittedLevels(models[MEDIAN], tuple(models[level] for level in rows.levels))
        return Stacked(self.linear.fit_levels(awake), trees, rows.plain)

    def _out_of_fold(self, rows: Rows) -> FloatArray:
        """Forecast quantiles of all rows by linear models that have not seen their weeks."""
        weeks, week = np.unique(rows.origin // WEEK_S, return_inverse=True)
        if len(weeks) < self.folds:
            raise RungError(
                f"stacked_boosting: expected training origins in at least {self.folds} weeks, "
                f"got {len(weeks)}"
            )
        fit, said = self.linear.fit_levels, np.empty((*rows.target.shape, len(rows.levels)))
        for fold in range(self.folds):
            held = week % self.folds == fold
            said[held] = fit(rows.some(~held)).predict_quantiles(rows.features[held])
        return said


def _stack(features: Float32Array, plain: int, said: FloatArray) -> Float32Array:
    """Put quantiles [B, H, Q] beside the plain columns, [B, H, plain + Q]."""
    return np.concatenate([features[:, :, :plain], said.astype(np.float32)], axis=2)


RUNG = StackedBoosting
