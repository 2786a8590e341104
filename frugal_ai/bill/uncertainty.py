"""How sure a bill is: three kinds of uncertainty, in closed form and by simulation, kept apart."""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from frugal_ai.bill.amount import Amount, Value
from frugal_ai.bill.basis import UNCERTAIN, Basis, Driver, Kind
from frugal_ai.bill.evaluate import Lines, evaluate, summed
from frugal_ai.cost.record import STAGES, Stage

FloatArray = npt.NDArray[np.float64]
_Q95 = 1.6448536269514722  # of the standard normal distribution


@dataclass(frozen=True)
class Range:
    """What holds the truth in 90 % of cases, as far as one kind of uncertainty goes."""

    low: float
    high: float


@dataclass(frozen=True)
class Swings:
    """A bill with one driver after the other at the ends of its range.

    Attributes
    ----------
    drivers
        D of them.
    lines
        Amounts [1 + 2 D]: as it is; then each driver low, high.
    """

    drivers: tuple[Driver, ...]
    lines: Lines

    @property
    def total(self) -> Amount:
        """All lines [1 + 2 D]."""
        return summed(self.lines)

    def ranges(self, values: Value) -> dict[Kind, Range]:
        """Return the range of a figure [1 + 2 D] by kind: swings added in quadrature.

        Exact for one driver on all of a figure, where it is a quantile of the lognormal; for
        several an approximation of first order that keeps ranges which are not symmetric.
        """
        size = 1 + 2 * len(self.drivers)
        series = np.broadcast_to(np.asarray(values, dtype=np.float64), (size,))
        base = float(series[0])
        ends = series[1:].reshape(-1, 2) - base  # [D, 2]
        below, above = np.minimum(ends, 0).min(axis=1), np.maximum(ends, 0).max(axis=1)
        found: dict[Kind, Range] = {}
        for kind in UNCERTAIN:
            mine = np.array([driver.kind == kind for driver in self.drivers], dtype=bool)
            down, up = (float(np.sqrt((part[mine] ** 2).sum())) for part in (below, above))
            found[kind] = Range(base - down, base + up)
        return found


def swing(basis: Basis) -> Swings:
    """Evaluate a bill with each driver at either end of its range, all in one go."""
    size = 1 + 2 * len(basis.drivers)
    changes: dict[str, Value] = {}
    for position, driver in enumerate(basis.drivers):
        for name in driver.names:
            multipliers = np.asarray(changes.setdefault(name, np.ones(size)))
            multipliers[1 + 2 * position] *= driver.low
            multipliers[2 + 2 * position] *= driver.high
    return Swings(basis.drivers, evaluate(basis, changes))


def simulate(basis: Basis, kinds: Collection[Kind], draws: int, seed: int = 0) -> Lines:
    """Draw what is uncertain and evaluate the bill for every draw.

    Each driver is lognormal on either side of what is taken, with its 5 % and 95 % quantiles at the
    ends of its range. Its draws depend on its key and the seed alone, so that two bills which share
    a driver share its error.

    Parameters
    ----------
    basis
        The bill's.
    kinds
        That are drawn; the others stay as they are taken.
    draws
        N of them.

    Returns
    -------
    Lines
        Amounts [N].
    """
    changes: dict[str, Value] = {}
    for driver in basis.drivers:
        if driver.kind in kinds:
            drawn = _draws(driver, draws, seed)
            for name in driver.names:
                changes[name] = changes.get(name, 1.0) * drawn
    return evaluate(basis, changes)


def ratio(
    a: Basis,
    b: Basis,
    stages: Collection[Stage] = STAGES,
    kinds: Sequence[Kind] = UNCERTAIN,
    draws: int = 4000,
    seed: int = 0,
) -> tuple[float, dict[Kind, Range]]:
    """Return the emissions of a bill over those of another, with a range by kind.

    What both share, as the power model of one machine or the grid, errs in both alike and cancels
    as far as they depend on it alike.

    Parameters
    ----------
    a, b
        The two bills.
    stages
        That count.
    kinds, draws, seed
        Of `simulate`.
    """

    def grams(one: Basis, chosen: Collection[Kind], number: int) -> Value:
        lines = simulate(one, chosen, number, seed)
        return summed({line: lines[line] for line in lines if line.stage in stages}).gco2e

    def quotient(chosen: Collection[Kind], number: int) -> FloatArray:
        ours, theirs = (grams(one, chosen, number) for one in (a, b))
        return np.atleast_1d(np.asarray(ours / theirs, dtype=np.float64))

    ranges: dict[Kind, Range] = {}
    for kind in kinds:
        low, high = np.quantile(quotient((kind,), draws), (0.05, 0.95))
        ranges[kind] = Range(float(low), float(high))
    return float(quotient((), 1)[0]), ranges


def _draws(driver: Driver, draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng([seed, zlib.crc32(driver.key.encode())])
    normal = rng.standard_normal(draws)
    log = np.where(normal < 0, -np.log(driver.low), np.log(driver.high)) / _Q95
    return np.asarray(np.exp(normal * log), dtype=np.float64)
