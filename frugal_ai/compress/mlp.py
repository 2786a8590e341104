"""A tiny multilayer perceptron: hidden units that all lead times share, weighted anew for each."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from annotated_types import Ge, Gt
from numpy.typing import NDArray
from spox import Var

from frugal_ai.compress._perceptrons import LINEAR, Perceptrons, Schedule
from frugal_ai.compress._reduced_rank import ReducedRank, reduced_rank
from frugal_ai.data.calendar import WEEK_S
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.frame import const
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._linear import COMMON, moments, recency, tune_alpha
from frugal_ai.ladder.ridge import ALPHAS
from frugal_ai.ladder.rung import (
    BoolArray,
    Fitted,
    Float32Array,
    FloatArray,
    IntArray,
    Rows,
)
from frugal_ai.settings import Settings

_FOLDS = 4  # of the ridges that it starts from
_SMALL = 0.1  # of what rectified units add at first
_LEVELS = 32767  # of the 16-bit weights
_NEAR = 32.0  # means that float32 holds beside what varies [standard deviations]


@dataclass(frozen=True)
class Perceptron:
    """U hidden units on standardized features, and their weights for each lead time.

    The forecast is ``bias_h + sum_u out_hu * max(sum_f z_f * hidden_fu + threshold_u, floor_u)``
    with ``z_f = (x_f - mean_f) * scale_f``. The floor is 0 for a rectified unit, and so low that it
    is never reached for a linear one. As 16-bit integers the weights take half the room of floats;
    their steps are part of ``scale`` and cost no operation of their own. Where no mean is ``far``
    from zero for its spread, means may be taken off after the scale, and so after the product.
    """

    mean: Float32Array  # [F]
    scale: Float32Array  # [F], 0 where a feature says nothing
    hidden: NDArray[np.int16] | Float32Array  # [F, U]
    threshold: Float32Array  # [U]
    floor: Float32Array  # [U]
    out: NDArray[np.int16] | Float32Array  # [H, U]
    bias: Float32Array  # [H] [unit of the target]
    far: bool = True  # whether features have to be centred before they are weighted

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H]."""
        scaled = (features.astype(np.float64) - self.mean) * self.scale
        units = scaled @ self.hidden.astype(np.float64) + self.threshold
        weighted = np.maximum(units, self.floor) * self.out
        return np.asarray(weighted.sum(axis=2) + self.bias)

    def to_onnx(self, features: Var) -> Var:
        """Append the perceptron to a graph, float32 [B, H]."""
        rows = op.transpose(features, perm=[0, 2, 1])  # [B, F, H], as features are computed
        mean, scale, threshold, floor = (
            const(values[:, None], np.float32)
            for values in (self.mean, self.scale, self.threshold, self.floor)
        )
        if self.far or self.hidden.dtype != np.int16:  # others stand for what is rounded again
            scaled = op.mul(op.sub(rows, mean), scale)
        else:
            scaled = op.sub(op.mul(rows, scale), op.mul(mean, scale))
        units = op.matmul(_weights(self.hidden.T), scaled)  # [B, U, H]
        if (self.floor > LINEAR).any():
            units = op.max([op.add(units, threshold), floor])
        weighted = op.mul(units, _weights(self.out.T))
        # a product with ones sums over rows several times faster than a reduction
        total = op.matmul(const(np.ones((1, len(self.floor))), np.float32), weighted)
        return op.add(op.squeeze(total, const([1], np.int64)), const(self.bias, np.float32))

    @property
    def reads(self) -> BoolArray:
        """Which features matter [F]."""
        return np.asarray((self.hidden != 0).any(axis=1) & (self.scale != 0))

    def kept(self, columns: IntArray) -> "Perceptron":
        """Return the same model on some features [K], which hold all that matter."""
        return replace(
            self,
            mean=self.mean[columns],
            scale=self.scale[columns],
            hidden=self.hidden[columns],
        )

    def widened(self, features: Float32Array) -> "Perceptron":
        """Return the same with floats as weights, none of them far from 1.

        Parameters
        ----------
        features
            That standardize the inputs again [B, H, F].
        """
        scaled = (features.astype(np.float64) - self.mean) * self.scale
        size = np.abs(self.out.astype(np.float64)).max(axis=0)  # [U]
        size[size == 0] = 1.0
        spread = scaled.std(axis=(0, 1))  # [F]
        largest = np.abs(self.hidden * size).max(axis=1)  # [F]
        constant = np.ptp(features, axis=(0, 1)) == 0
        if not constant.all():  # what never changed here is weighted as other features are
            usual = float(np.median((largest * spread)[~constant]))
            spread[constant] = usual / np.where(
                largest[constant] > 0, largest[constant], usual or 1.0
            )
        spread[spread == 0] = 1.0
        return replace(
            self,
            scale=(self.scale / spread).astype(np.float32),
            hidden=(self.hidden * spread[:, None] * size).astype(np.float32),
            threshold=(self.threshold * size).astype(np.float32),
            out=(self.out / size).astype(np.float32),
        )

    def rounded(self) -> "Perceptron":
        """Return it with its weights as 16-bit integers.

        What multiplies the weights of a unit goes in front of it, which neither a rectified nor a
        linear unit minds, and from there into the scale of the inputs.
        """
        hidden, threshold = self.hidden.astype(np.float64), self.threshold.astype(np.float64)
        step = _steps(self.out, axis=0)  # [U]
        hidden, out = hidden * step, np.rint(self.out / step)
        wide = _steps(hidden, axis=1)  # [F]
        return replace(
            self,
            scale=(self.scale * wide).astype(np.float32),
            hidden=np.rint(hidden / wide[:, None]).astype(np.int16),
            threshold=(threshold * step).astype(np.float32),
            out=out.astype(np.int16),
        )


def _steps(values: NDArray[Any], axis: int) -> FloatArray:
    """Return the steps that spread values over 16 bits, 1 where there are none."""
    step = np.abs(values).max(axis=axis).astype(np.float64) / _LEVELS
    step[step == 0] = 1.0
    return np.asarray(step)


def _weights(values: NDArray[Any]) -> Var:
    """Embed weights; a runtime turns integers to floats when it opens the graph."""
    embedded = const(values, values.dtype)
    return op.cast(embedded, to=np.float32) if values.dtype == np.int16 else embedded


class Mlp(Settings):
    """A perceptron that starts from a ridge for each lead time, cut to its main directions.

    The weights of such ridges differ along few directions: one linear unit for what they share and
    ``linear`` others come near to them with a tenth of the numbers. ``units`` rectified units learn
    what is not linear. Of several ``seeds`` the best on held-out weeks, one in ``held``, is taken.

    Attributes
    ----------
    reads
        The recipe's plain features alone, or with their basis.
    epochs, batch, learning_rate
        Of Adam; a batch counts origins. The rate falls along a half cosine.
    huber
        Residual from which on the loss grows like its size [standard deviations of the target].
    weights
        How they are kept; float32 for what quantizes them in its own way.
    """

    label: str | None = None
    reads: Literal["features", "basis"] = "basis"
    linear: Annotated[int, Ge(0)] = 8
    units: Annotated[int, Ge(0)] = 8
    seeds: Annotated[int, Ge(1)] = 3
    held: Annotated[int, Ge(2)] = 10
    epochs: Annotated[int, Ge(0)] = 40
    batch: Annotated[int, Ge(1)] = 16
    learning_rate: Annotated[float, Gt(0)] = 0.003
    huber: Annotated[float, Gt(0)] = 0.1
    weights: Literal["int16", "float32"] = "int16"

    @property
    def name(self) -> str:
        """What it is called in a table."""
        return self.label or (f"mlp_{self.units}" if self.units else f"low_rank_{self.linear}")

    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        """Choose the features that it reads."""
        return recipe.features + (recipe.basis if self.reads == "basis" else ())

    def fit(self, rows: Rows) -> Fitted:
        """Learn from training rows.

        Raises
        ------
        RungError
            If there are too few origins.
        """
        level, size = float(np.nanmean(rows.target)), float(np.nanstd(rows.target)) or 1.0
        rows = replace(rows, target=(rows.target - level) / size)
        sums = moments(rows, _FOLDS, recency(rows, None))
        said = np.flatnonzero(np.isfinite(sums.deviation))  # features that say anything [K]
        start = reduced_rank(sums, said, tune_alpha(sums, (*ALPHAS, COMMON)), self.linear)
        mean, scale = sums.mean.astype(np.float32), (1 / sums.deviation).astype(np.float32)
        inputs = rows.features[:, :, said] - mean[said]
        inputs *= scale[said]
        nets, best = self._trained(start, inputs, rows)
        hidden = np.zeros((len(mean), len(nets.floor)), np.float32)
        hidden[said] = nets.hidden[:, best]
        found = Perceptron(
            mean=mean,
            scale=scale,
            hidden=hidden,
            threshold=nets.threshold[best],
            floor=nets.floor,
            out=nets.out[:, best] * np.float32(size),
            bias=nets.bias[:, best] * np.float32(size) + np.float32(level),
            far=bool((np.abs(mean * scale)[said] > _NEAR).any()),
        )
        return found.rounded() if self.weights == "int16" else found

    def _trained(
        self, start: ReducedRank, inputs: Float32Array, rows: Rows
    ) -> tuple[Perceptrons, int]:
        """Train all seeds; return them and which is the best."""
        draws = np.random.RandomState(rows.seed)  # its streams are frozen for good (NEP 19)
        nets = self._drawn(start, draws)
        target = rows.target.astype(np.float32)
        schedule = Schedule(self.epochs, self.batch, self.learning_rate, self.huber)
        held = rows.origin // WEEK_S % self.held == 0
        seen = np.isfinite(target[held]).any()
        if nets.n_seeds == 1 or held.all() or not seen:
            nets.train(inputs, target, schedule, draws)
            return nets, 0
        nets.train(inputs[~held], target[~held], schedule, draws)
        error = np.abs(nets.forecast(inputs[held]) - target[held][:, :, None])
        return nets, int(np.nanmean(error, axis=(0, 1)).argmin())

    def _drawn(self, start: ReducedRank, draws: np.random.RandomState) -> Perceptrons:
        """Add rectified units to the linear ones, drawn anew for each seed."""
        n_inputs, linear = start.directions.shape
        seeds, bent = (self.seeds if self.units else 1), self.units
        spread = draws.standard_normal((n_inputs, seeds, bent)) / np.sqrt(n_inputs)
        threshold = draws.standard_normal((seeds, bent)) / 2
        out = _SMALL * draws.standard_normal((seeds, bent)) / np.sqrt(max(bent, 1))
        horizon = len(start.out)

        def of_all(values: FloatArray) -> FloatArray:  # [..., U] for each seed, [..., S, U]
            return np.repeat(values[..., None, :], seeds, axis=-2)

        return Perceptrons(
            hidden=np.concatenate([of_all(start.directions), spread], axis=2).astype(np.float32),
            threshold=np.concatenate([np.zeros((seeds, linear)), threshold], axis=1).astype(
                np.float32
            ),
            out=np.concatenate(
                [of_all(start.out), np.broadcast_to(out, (horizon, seeds, bent))], axis=2
            ).astype(np.float32),
            bias=np.repeat(start.bias[:, None], seeds, axis=1).astype(np.float32),
            floor=np.repeat([LINEAR, np.float32(0)], [linear, bent]).astype(np.float32),
        )
