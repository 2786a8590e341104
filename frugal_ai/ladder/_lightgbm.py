"""LightGBM as the boosting rungs use it: one thread, deterministic, quiet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import lightgbm
import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt, Le
from spox import Var

from frugal_ai.features.frame import const
from frugal_ai.ladder._booster_columns import split_columns, with_columns
from frugal_ai.ladder._search import Range
from frugal_ai.ladder._trees import to_onnx
from frugal_ai.ladder.rung import BoolArray, Float32Array, FloatArray, IntArray, Rung


class TreeSettings(Rung):
    """Settings that the boosting rungs share.

    The absolute error is what forecasts are scored by; the squared one heeds large errors more.
    """

    loss: Literal["absolute", "squared"] = "absolute"
    trees: Annotated[int, Ge(1)] = 400
    leaves: Annotated[int, Ge(2)] = 31
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.035
    rows_per_leaf: Annotated[int, Ge(1)] = 20
    column_share: Annotated[float, Gt(0), Le(1)] = 0.4
    row_share: Annotated[float, Gt(0), Le(1)] = 0.7
    l2: Annotated[float, Ge(0)] = 5.0
    bins: Annotated[int, Ge(2), Le(255)] = 127

    search: ClassVar[Mapping[str, Range]] = {
        "trees": Range(100, 1000, log=True, whole=True),
        "leaves": Range(7, 127, log=True, whole=True),
        "learning_rate": Range(0.01, 0.2, log=True),
        "rows_per_leaf": Range(5, 200, log=True, whole=True),
        "column_share": Range(0.1, 1.0),
        "l2": Range(0.01, 100.0, log=True),
    }


@dataclass(frozen=True)
class Trees:
    """Boosted trees over rows [B * H, F]."""

    booster: lightgbm.Booster

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        batch, horizon, width = features.shape
        flat = self.booster.predict(features.reshape(-1, width), num_threads=1)
        return np.asarray(flat, dtype=np.float64).reshape(batch, horizon)

    @property
    def reads(self) -> BoolArray:
        """Which features any tree splits on [F]."""
        return split_columns(self.booster)

    def kept(self, columns: IntArray) -> "Trees":
        """Return the same trees on some features [K], which hold all that they split on."""
        return Trees(with_columns(self.booster, columns))

    def to_onnx(self, features: Var, width: int, horizon: int) -> Var:
        """Append the trees to a graph: features float32 [B, H, F] to float32 [B, H]."""
        rows = op.reshape(features, const([-1, width], np.int64))
        # neither training nor a gateway lets a feature be NaN
        total = to_onnx(rows, self.booster.dump_model(), finite=True)
        return op.reshape(total, const([-1, horizon], np.int64))


def fit_trees(
    features: Float32Array,
    target: FloatArray,
    settings: TreeSettings,
    seed: int,
    level: float | None = None,
) -> Trees:
    """Boost the settings' loss, or the pinball loss of a quantile level.

    Parameters
    ----------
    features, target
        Rows [B, H, F] and what is to be forecast [B, H]; what was not observed is left out.
    """
    seen = np.isfinite(target)
    objective = "regression_l1" if settings.loss == "absolute" else "regression"
    parameters: dict[str, Any] = {
        "objective": objective if level is None else "quantile",
        "alpha": level or 0.9,  # read for quantiles alone
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.rows_per_leaf,
        "feature_fraction": settings.column_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "max_bin": settings.bins,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(features[seen], label=target[seen], params=parameters)
    return Trees(lightgbm.train(parameters, data, num_boost_round=settings.trees))
