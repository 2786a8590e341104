"""A part of a split: the same seasons, fewer weeks, one trial model."""

from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pytest

from frugal_ai.backtest.split import Split, thinned, training_origins_of, trials
from frugal_ai.backtest.windows import Series
from frugal_ai.data.calendar import DAY_S, WEEK_S
from frugal_ai.data.panel import Panel
from frugal_ai.features.blocks.lag import Last
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import local_grid

START = int(datetime(2021, 1, 4, tzinfo=UTC).timestamp())
DAYS = 800


def split(clocks: int = 1, folds: int = 1) -> Split:
    at = tuple(time(24 // clocks * k) for k in range(clocks))
    every = DAY_S // clocks
    return Split(
        start=START,
        validation=START + 500 * DAY_S + every * np.arange(98 * clocks),
        test=START + 600 * DAY_S + every * np.arange(98 * clocks),
        at=at,
        timezone="UTC",
        folds=folds,
    )


def training(of: Split) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    values = np.zeros((1, DAYS * 24))
    panel = Panel(
        series_ids=("a",), start=START, step_s=3600, values=values,
        known_names=(), known=np.empty((*values.shape, 0)),
        past_names=(), past=np.empty((*values.shape, 0)),
        static_names=(), static=np.empty((1, 0)), simulated=True,
    )  # fmt: skip
    grid = local_grid(
        step_s=3600, horizon=24, timezone="UTC", holidays=None,
        valid_from=START, valid_until=START + DAYS * DAY_S,
    )  # fmt: skip
    graph = FeatureGraph((Last(feature="last"),), grid)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = training_origins_of(
        Series(panel, 0, values[0], 24), graph, of
    )
    return found


@pytest.mark.parametrize("part", [2, 3, 4, 8])
def test_whole_weeks_of_every_season_are_learnt_from(part: int) -> None:
    every, kept = training(split()), training(replace(split(), part=part))
    assert set(kept) < set(every)
    assert len(kept) == pytest.approx(len(every) / part, rel=0.15)
    weeks = np.unique(kept // WEEK_S)
    inside = every[np.isin(every // WEEK_S, weeks)]
    assert np.array_equal(inside, kept)
    assert np.diff(weeks).max() < 2 * part
    # no fold of a rung, which deals out weeks in turn, is left without any
    for folds in (2, 3, 4):
        assert set(weeks % folds) == set(range(folds))


@pytest.mark.parametrize("clocks", [1, 2, 4])
def test_validation_origins_of_all_local_times_stay(clocks: int) -> None:
    whole = split(clocks)
    part = thinned(whole, 2)
    assert part.validation[0] == whole.validation[0]  # the trial model sees as much as ever
    assert set(part.validation) < set(whole.validation)
    assert set(part.validation % DAY_S) == set(whole.validation % DAY_S)
    assert set(part.validation // DAY_S % 7) == set(range(7))
    assert len(part.validation) <= -(-len(whole.validation) // 2)
    assert np.array_equal(part.test, whole.test)


def test_with_folds_one_trial_model_remains_and_has_not_seen_what_it_forecasts() -> None:
    whole = split(folds=3)
    part = thinned(whole, 2)
    (trial,) = trials(part)
    assert np.array_equal(part.validation, whole.validation[next(trials(whole)).held])
    learnt = training(part)
    learnt = learnt[trial.learns(learnt, DAY_S)]
    assert learnt.max() > part.validation[0]
    assert not np.isin(learnt, part.validation).any()
