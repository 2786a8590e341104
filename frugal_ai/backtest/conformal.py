"""Calibration of quantiles on validation origins, where neither trial model nor test has been.

Split conformal prediction, one quantile at a time: what the observation exceeded the raw forecast
by, its level's order statistic over the validation origins, is added to the raw forecast. Of a
point forecast this is the residual quantile (Vovk, Gammerman and Shafer 2005, Algorithmic learning
in a random world); of a quantile forecast it is the asymmetric form of Romano, Patterson and Candes
(2019), Conformalized quantile regression.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.errors import PipelineError
from frugal_ai.features.frame import const
from frugal_ai.pinball import reweighted

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
_KNOTS = 7  # of the raw forecast; some hundred residuals or more lie between two of them
_EDGE = 0.02  # share of forecasts beyond the outer knots
_ITERATIONS = 12
_NARROW = 1e-6  # [unit of the model]
_SOME = 0.01  # of the largest spread; below that there is nothing to learn
_DIGITS = 9  # of a level: (n + 1) * level is a whole number where it is one on paper


class Calibrated(Protocol):
    """What was learnt on validation origins; it turns raw forecasts into quantiles."""

    def apply(self, raw: FloatArray, group: IntArray, spread: FloatArray) -> FloatArray:
        """Return quantiles [B, H, Q] of raw forecasts.

        Parameters
        ----------
        raw
            [B, H, Q], or one for all levels [B, H, 1].
        group
            Of each origin [B].
        spread
            What errors grow with [B, H].
        """
        ...

    def apply_onnx(self, raw: Var, group: Var | None, spread: Var | None) -> Var:
        """Append it to a graph, float32 [B, H, Q]; without what is the same for all."""
        ...


@dataclass(frozen=True)
class Offsets:
    """What is added to a raw forecast: by its own size, and by group of origins and lead time.

    Errors of wind power are small in a calm and large halfway up the power curve, those of PV none
    at night. The first part is a line from knot to knot of the raw forecast, level at both ends.
    """

    knots: NDArray[np.float32]  # [Q or 1, K] [unit of the model]
    slopes: NDArray[np.float32]  # [Q, K - 1]
    table: NDArray[np.float32]  # [G, H, Q] [unit of the model], with the value at the first knot

    def apply(self, raw: FloatArray, group: IntArray, spread: FloatArray) -> FloatArray:
        """Add the offsets."""
        wide = spread[:, :, None]  # [B, H, 1]
        into = np.clip(relative(raw, wide)[..., None] - self.knots[:, :-1], 0.0, self._widths)
        by_size = (into * self.slopes).sum(axis=3)  # [B, H, Q]
        return np.asarray(raw + wide * (by_size + self.table[group]), dtype=np.float64)

    def apply_onnx(self, raw: Var, group: Var | None, spread: Var | None) -> Var:
        """Append the offsets to a graph."""
        size = raw
        if spread is not None:
            wide = op.unsqueeze(spread, const([2], np.int64))
            size = op.div(raw, op.max([wide, const(_NARROW, np.float32)]))
        knots, widths = const(self.knots[:, :-1], np.float32), const(self._widths, np.float32)
        table = const(self.table, np.float32)
        by_group = table if group is None else op.gather(table, group)
        if len(self.knots) == 1 and spread is None:
            # one size for all levels: steps side by side, a row for each knot and level
            row = op.transpose(raw, perm=[0, 2, 1])  # [B, 1, H]
            knots, widths = (const(one.T, np.float32) for one in (self.knots[:, :-1], self._widths))
            into = op.min([op.relu(op.sub(row, knots)), widths])
            rows = op.add(row, op.matmul(const(self.slopes, np.float32), into))  # [B, Q, H]
            return op.add(op.transpose(rows, perm=[0, 2, 1]), by_group)
        last = const([3], np.int64)
        if len(self.knots) == 1:  # one product
            into = op.min([op.relu(op.sub(size, knots)), widths])
            by_size = op.matmul(into, const(self.slopes.T, np.float32))
        else:
            into = op.min([op.relu(op.sub(op.unsqueeze(size, last), knots)), widths])
            by_size = op.reduce_sum(op.mul(into, const(self.slopes, np.float32)), last, keepdims=0)
        total = op.add(by_size, by_group)
        return op.add(raw, total if spread is None else op.mul(wide, total))

    @property
    def _widths(self) -> NDArray[np.float32]:
        return np.diff(self.knots, axis=1)


def relative(raw: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the size of a forecast relative to what errors grow with."""
    return np.asarray(raw / np.maximum(spread, _NARROW))


def calibrate(
    raw: FloatArray,
    actual: FloatArray,
    spread: FloatArray,
    group: IntArray,
    n_groups: int,
    levels: Sequence[float],
) -> Calibrated:
    """Learn offsets by the size of the forecast, by lead time and by group of origins.

    Parameters
    ----------
    raw
        Forecasts of each level [O, H, Q], or one for all [O, H, 1] [unit of the model].
    actual
        What was observed [O, H], NaN where nothing was.
    spread
        What errors grow with [O, H] [unit of the model]; where it is next to nothing, as PV is at
        night, there is nothing to learn.
    group
        Group of each origin [O], below ``n_groups``.
    levels
        Ascending, Q of them.

    Raises
    ------
    PipelineError
        If a group has too few observations at a lead time; see `require_origins`.
    """
    require_origins(np.isfinite(actual), group, n_groups, levels)
    wide = spread[:, :, None]
    some = wide > _SOME * float(spread.max())
    size = relative(raw, wide)  # [O, H, Q] or [O, H, 1]
    residual = np.where(some, relative(actual[:, :, None] - raw, wide), np.nan)
    residual = np.broadcast_to(residual, (*actual.shape, len(levels)))
    if not np.isfinite(residual).any():
        return _nothing((n_groups, actual.shape[1], len(levels)))
    knots = np.stack(
        [_knots(size[:, :, q][some[:, :, 0]]) for q in range(raw.shape[2])]
    )  # [Q or 1, K]
    at_knots = np.stack(
        [
            _by_size(size[:, :, q % raw.shape[2]], residual[:, :, q], knots[q % len(knots)], level)
            for q, level in enumerate(levels)
        ]
    )  # [Q, K]
    widths = np.diff(knots, axis=1)
    slopes = np.diff(at_knots, axis=1) / np.where(widths > 0, widths, 1.0)
    first = Offsets(
        knots=knots.astype(np.float32),
        slopes=slopes.astype(np.float32),
        table=np.tile(at_knots[:, 0], (n_groups, actual.shape[1], 1)).astype(np.float32),
    )
    left = residual - (first.apply(size, group, np.ones_like(spread)) - size)
    tables = np.stack([_offsets(left[group == g], levels) for g in range(n_groups)])
    return replace(first, table=(first.table + tables).astype(np.float32))


def _nothing(shape: tuple[int, int, int]) -> Offsets:
    """Return offsets of 0, of a shape [G, H, Q]."""
    none = np.zeros(shape, np.float32)
    return Offsets(knots=none[0, :1, :1].repeat(2, axis=1), slopes=none[0, :1].T, table=none)


def _knots(raw: FloatArray) -> FloatArray:
    """Place knots where a share of the forecasts [n] lies between each two, [K]."""
    shares = np.linspace(_EDGE, 1 - _EDGE, _KNOTS)
    return np.asarray(np.quantile(raw, shares))


def _by_size(raw: FloatArray, residual: FloatArray, knots: FloatArray, level: float) -> FloatArray:
    """Fit a line from knot to knot through a quantile of residuals [O, H], values at knots [K]."""
    seen = np.isfinite(residual)
    y = residual[seen]
    eye = np.eye(len(knots))
    basis = np.stack([np.interp(raw[seen], knots, row) for row in eye], axis=1)  # [n, K]
    values: FloatArray = np.full(len(knots), np.quantile(y, level))
    for _ in range(_ITERATIONS):
        weight = reweighted(y - basis @ values, level)
        gram = (basis * weight[:, None]).T @ basis
        # knots that coincide share their value
        values = np.asarray(
            np.linalg.solve(gram + 1e-6 * len(y) * eye, basis.T @ (weight * y)), np.float64
        )
    return values


def _offsets(residual: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Return the order statistics of residuals [n, H, Q] at each level's rank, [H, Q]."""
    ascending = np.sort(residual, axis=0)  # what is missing comes last
    count = np.isfinite(residual[:, :, 0]).sum(axis=0)  # [H]
    offsets = np.zeros(residual.shape[1:])
    enough = count >= max(origins_needed(level) for level in levels)
    ranks = np.array(
        [[rank(int(n), level) for level in levels] for n in count[enough]], dtype=np.int64
    )
    picked = ascending[:, enough]
    offsets[enough] = np.take_along_axis(picked, ranks.reshape(1, -1, len(levels)) - 1, axis=0)[0]
    return offsets


def rank(count: int, level: float) -> int:
    """Return which of ``count`` ascending residuals stands for a level, from 1 on.

    The next of exchangeable residuals is at most the one of rank ceil((n + 1) * level) with at
    least the probability ``level`` (Vovk et al. 2005). Below the median the same holds for the
    other side, so that an interval between two symmetric levels is never too narrow on average.
    """
    if level < 0.5:
        return count + 1 - rank(count, 1 - level)
    return math.ceil(round((count + 1) * level, _DIGITS))


def origins_needed(level: float) -> int:
    """Return how many residuals a level needs: fewer have no order statistic of its rank."""
    outer = max(level, 1 - level)
    return max(1, math.ceil(round(outer / (1 - outer), _DIGITS)))


def require_origins(
    observed: BoolArray,
    group: IntArray,
    n_groups: int,
    levels: Sequence[float],
    names: Sequence[str] = (),
) -> None:
    """Refuse levels that the calibration origins cannot support.

    Parameters
    ----------
    observed
        Where there is an observation, [O, H].
    group
        Group of each origin [O].
    names
        What each group is called in the message.

    Raises
    ------
    PipelineError
        If there are too few of a group at some lead time; says which level, how many are there and
        how many are needed.
    """
    if not levels:
        return
    extreme = max(levels, key=lambda level: max(level, 1 - level))
    needed = origins_needed(extreme)
    for g in range(n_groups):
        count = observed[group == g].sum(axis=0)  # [H]
        if count.min() < needed:
            lead = int(count.argmin())
            of = f" of origins at {names[g]}" if n_groups > 1 and names else ""
            raise PipelineError(
                f"quantiles: expected at least {needed} validation origins with an observation at "
                f"each lead time for the level {extreme:g}, got {count[lead]} at step {lead}{of}; "
                "declare more of them in periods.validation, or levels nearer to 0.5"
            )
