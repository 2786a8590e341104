"""A student's quantiles: offsets of its forecast that lead to those of its teacher."""

import numpy as np

from frugal_ai.backtest.conformal import FloatArray, IntArray, Offsets, relative

_KNOTS = 7
_EDGE = 0.02  # share of forecasts beyond the outer knots
_ROUNDS = 6  # of guessing what the limits hide
_SOME = 0.01  # of the largest spread; below that there is nothing to learn
_AT = 1e-6  # [unit of the model]; nearer to a limit is at it
_TINY = 1e-9  # of a variance; knots that coincide have no slope between them


def fit_offsets(
    raw: FloatArray,
    quantiles: FloatArray,
    spread: FloatArray,
    group: IntArray,
    n_groups: int,
    limits: tuple[FloatArray, FloatArray] | None = None,
    knots: FloatArray | None = None,
) -> Offsets:
    """Fit offsets by least squares, so that forecasts plus offsets are a teacher's quantiles.

    Where the teacher itself is such a sum of the same forecasts and knots, the fit is exact. What
    stands at a limit stands for anything beyond it (Tobin 1958, Econometrica 26), so that a limit
    bends no line.

    Parameters
    ----------
    raw
        Forecasts of the student [O, H] [unit of the model].
    quantiles
        Of the teacher [O, H, Q] [unit of the model], NaN where they are not to be learnt.
    spread
        What errors grow with [O, H] [unit of the model].
    group
        Group of each origin [O], below ``n_groups``.
    limits
        What no quantile is below and above, [O, H] each [unit of the model].
    knots
        Sizes of forecasts between which the offset is a line [K], ascending; by default a share of
        the forecasts lies between each two.
    """
    some = spread > _SOME * float(spread.max())
    seen = some & np.isfinite(quantiles).all(axis=2)
    shape = (n_groups, raw.shape[1], quantiles.shape[2])
    size = relative(raw, spread)  # [O, H]
    if not seen.any():
        none = np.zeros(shape, np.float32)
        return Offsets(np.zeros((1, 2), np.float32), np.zeros((shape[2], 1), np.float32), none)
    if knots is None:
        knots = np.quantile(size[seen], np.linspace(_EDGE, 1 - _EDGE, _KNOTS))
    into = np.clip(size[seen][:, None] - knots[:-1], 0.0, np.diff(knots))  # [n, K - 1]
    lead = np.broadcast_to(np.arange(raw.shape[1]), raw.shape)
    cell = (group[:, None] * raw.shape[1] + lead)[seen]  # [n]
    design = _Design(into, cell, n_groups * raw.shape[1], np.square(spread[seen]))
    low, high = limits or (np.full(raw.shape, -np.inf), np.full(raw.shape, np.inf))
    ends = [relative(end - raw, spread)[seen] for end in (low, high)]
    wanted = relative(quantiles - raw[:, :, None], spread[:, :, None])[seen]  # [n, Q]
    slopes = np.empty((shape[2], len(knots) - 1))
    table = np.empty(shape)
    for q in range(shape[2]):
        slopes[q], flat = design.fit_between(wanted[:, q], *ends)
        table[:, :, q] = flat.reshape(shape[:2])
    return Offsets(
        knots=knots[None].astype(np.float32),
        slopes=slopes.astype(np.float32),
        table=table.astype(np.float32),
    )


class _Design:
    """Least squares on columns with an intercept for each cell."""

    def __init__(
        self, columns: FloatArray, cell: IntArray, n_cells: int, weight: FloatArray
    ) -> None:
        self._columns, self._cell, self._n = columns, cell, n_cells
        self._weight = weight
        self._total = np.bincount(cell, weight, n_cells)  # [cells]
        self._means = np.stack([self._mean(column) for column in columns.T], axis=1)
        self._around = columns - self._means[cell]
        gram = (self._around * weight[:, None]).T @ self._around
        self._gram = gram + _TINY * max(float(np.trace(gram)), 1.0) * np.eye(len(gram))

    def fit(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return slopes [columns] and intercepts [cells]; a cell without rows has their mean."""
        means = self._mean(y)
        left = (y - means[self._cell]) * self._weight
        slopes: FloatArray = np.asarray(
            np.linalg.solve(self._gram, self._around.T @ left), np.float64
        )
        intercepts = means - self._means @ slopes
        there = self._total > 0
        intercepts[~there] = intercepts[there].mean()
        return slopes, intercepts

    def fit_between(
        self, y: FloatArray, low: FloatArray, high: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Fit values [n] of which those at a limit [n] may be anything beyond it."""
        at_low, at_high = y <= low + _AT, y >= high - _AT
        slopes, intercepts = self.fit(y)
        for _ in range(_ROUNDS if (at_low | at_high).any() else 0):
            fitted = self._columns @ slopes + intercepts[self._cell]
            guessed = np.where(at_low, np.minimum(fitted, y), y)
            guessed = np.where(at_high, np.maximum(fitted, y), guessed)
            slopes, intercepts = self.fit(guessed)
        return slopes, intercepts

    def _mean(self, values: FloatArray) -> FloatArray:
        """Return the weighted mean of each cell, 0 where it has no rows."""
        sums = np.bincount(self._cell, values * self._weight, self._n)
        return np.asarray(sums / np.where(self._total > 0, self._total, 1.0))
