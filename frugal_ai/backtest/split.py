"""Which rows a model learns from, and which origins it is judged on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time
from itertools import count
from math import gcd

import numpy as np
from numpy.typing import NDArray

from frugal_ai.backtest.origins import IntArray, training_origins
from frugal_ai.backtest.windows import Series
from frugal_ai.data.calendar import WEEK_S
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.ladder.rung import Rows

BoolArray = NDArray[np.bool_]
_SCATTER = 0x9E3779B1  # Knuth's multiplicative hash, of the number of a group of weeks


@dataclass(frozen=True)
class Split:
    """The periods of a backtest.

    Attributes
    ----------
    start
        Start of the training period [unix s].
    validation, test
        Origins [O] [unix s].
    at, timezone
        Local times at which training origins are placed.
    folds
        1 for a trial model that has seen nothing from the first validation origin on. With more,
        validation origins are dealt out by weeks, and each is forecast by a model that has learnt
        from everything before the test but the weeks of its own fold.
    part
        One in so many weeks is learnt from; 1 for all.
    """

    start: int
    validation: IntArray
    test: IntArray
    at: tuple[time, ...]
    timezone: str
    folds: int = 1
    part: int = 1


@dataclass(frozen=True)
class Trial:
    """What one trial model learns from, and the validation origins that it forecasts.

    Attributes
    ----------
    held
        Which validation origins [O].
    end
        It learns from targets before this instant [unix s].
    apart
        And from none within a horizon of these origins [unix s], [n].
    """

    held: BoolArray
    end: int
    apart: IntArray

    def learns(self, origins: IntArray, horizon_s: int) -> BoolArray:
        """Mark the training origins [B] [unix s] that the trial model may learn from."""
        kept = origins + horizon_s <= self.end
        if len(self.apart):
            after = np.searchsorted(self.apart, origins)
            for near in (after, after - 1):
                other = self.apart[np.clip(near, 0, len(self.apart) - 1)]
                kept &= np.abs(origins - other) >= horizon_s
        return np.asarray(kept)

    def keeps(self, rows: Rows) -> Rows:
        """Return the rows that the trial model may learn from.

        Raises
        ------
        RungError
            If none are left.
        """
        return rows.some(self.learns(rows.origin, rows.target.shape[1] * rows.step_s))


def trials(split: Split) -> Iterator[Trial]:
    """Yield the trial models of a backtest; together they forecast each validation origin once."""
    origins, none = split.validation, np.empty(0, np.int64)
    if split.folds == 1:
        yield Trial(np.ones(len(origins), bool), int(origins[0]), none)
        return
    fold = origins // WEEK_S % split.folds
    for k in range(split.folds):
        held = fold == k
        if held.any():
            yield Trial(held, int(split.test[0]), origins[held])


def training_origins_of(series: Series, graph: FeatureGraph, split: Split) -> IntArray:
    """List the training origins before the first test origin, [O] [unix s]."""
    step = series.panel.step_s
    reach = max(graph.reach.history, graph.reach.lookback, 1) * step
    found = training_origins(
        split.start, int(split.test[0]), split.at, split.timezone, reach, series.horizon * step
    )
    return found[_in_part(found, split.part)]


def _in_part(origins: IntArray, part: int) -> BoolArray:
    """Mark one in so many weeks, in no rhythm that the folds of a rung could share."""
    week = origins // WEEK_S
    drawn = (week // part * _SCATTER >> 15) % part
    return np.asarray(week % part == drawn)


def thinned(split: Split, part: int) -> Split:
    """Return a part of a split that shows cheaply what a rung is worth.

    One in ``part`` weeks is learnt from, so that every season stays; one trial model remains. With
    folds it forecasts the weeks of its own, else about every second validation origin, at all local
    times in turn.
    """
    if split.folds > 1:
        kept = split.validation[next(trials(split)).held]
    else:
        kept = split.validation[:: next(n for n in count(2) if gcd(n, len(split.at)) == 1)]
    return replace(split, validation=kept, part=part)


def training_rows(series: Series, graph: FeatureGraph, split: Split, plain: int, seed: int) -> Rows:
    """Compute the rows of every training origin before the first test origin."""
    origins = training_origins_of(series, graph, split)
    return Rows(
        features=graph.transform(series.windows(origins, graph.reach)),
        target=series.targets(origins),
        origin=origins,
        step_s=series.panel.step_s,
        plain=plain,
        seed=seed,
    )


def joined(rows: Sequence[Rows]) -> Rows:
    """Put the rows of several series together."""
    if len(rows) == 1:
        return rows[0]
    idle = [one.idle for one in rows if one.idle is not None]
    return replace(
        rows[0],
        features=np.concatenate([one.features for one in rows]),
        target=np.concatenate([one.target for one in rows]),
        origin=np.concatenate([one.origin for one in rows]),
        idle=np.concatenate(idle) if len(idle) == len(rows) else None,
    )
