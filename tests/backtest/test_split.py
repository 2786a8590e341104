"""Which rows trial models learn from: every validation origin is forecast once, unseen."""

from datetime import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.backtest.split import Split, joined, trials
from frugal_ai.errors import RungError
from frugal_ai.ladder.rung import Rows

DAY, STEP = 86400, 3600
START = 1_704_067_200


def split(folds: int, first: int = 100, last: int = 180, every: int = 1) -> Split:
    return Split(
        start=START,
        validation=START + DAY * np.arange(first, last, every, dtype=np.int64),
        test=START + DAY * np.arange(last + 1, last + 20, dtype=np.int64),
        at=(time(0),),
        timezone="UTC",
        folds=folds,
    )


def rows(days: int, horizon: int = 24, every_h: int = 24) -> Rows:
    origin = START + STEP * np.arange(0, 24 * days, every_h, dtype=np.int64)
    count = len(origin)
    features = np.arange(count, dtype=np.float32)[:, None, None].repeat(horizon, axis=1)
    target = np.arange(count, dtype=np.float64)[:, None].repeat(horizon, axis=1)
    return Rows(features, target, origin, STEP, 1, 0)


@settings(max_examples=50, deadline=None)
@given(
    folds=st.integers(1, 6),
    horizon=st.sampled_from([1, 24, 60]),
    every=st.integers(1, 5),
    every_h=st.sampled_from([6, 24]),
)
def test_folds_partition_the_origins_and_no_row_overlaps_what_is_held_out(
    folds: int, horizon: int, every: int, every_h: int
) -> None:
    periods, data = split(folds, every=every), rows(182, horizon, every_h)
    held = np.zeros(len(periods.validation), int)
    for trial in trials(periods):
        held += trial.held
        kept = trial.keeps(data)
        ends = kept.origin + horizon * STEP
        for origin in periods.validation[trial.held]:
            apart = (ends <= origin) | (kept.origin >= origin + horizon * STEP)
            assert apart.all()
        assert (ends <= periods.test[0]).all()
    assert (held == 1).all()


def test_one_fold_is_forecast_from_the_past_alone() -> None:
    periods = split(folds=1)
    (trial,) = trials(periods)
    assert trial.held.all()
    kept = trial.keeps(rows(182))
    assert kept.origin.max() + DAY == periods.validation[0]
    assert len(kept.origin) == 100


def test_several_folds_lose_no_more_than_the_weeks_of_their_own() -> None:
    periods, data = split(folds=2), rows(181)
    for trial in trials(periods):
        lost = set(data.origin) - set(trial.keeps(data).origin)
        assert lost == set(periods.validation[trial.held])
        weeks = np.unique(periods.validation[trial.held] // (7 * DAY))
        assert len(set(weeks % 2)) == 1


def test_a_fold_without_origins_is_left_out() -> None:
    assert len(list(trials(split(folds=5, first=100, last=110)))) <= 3


def test_features_and_targets_stay_beside_their_origins() -> None:
    data = rows(182)
    for trial in trials(split(folds=3)):
        kept = trial.keeps(data)
        number = (kept.origin - START) // DAY
        np.testing.assert_array_equal(kept.target[:, 0], number)
        np.testing.assert_array_equal(kept.features[:, 0, 0], number)


def test_rows_of_a_panel_are_each_kept_by_their_origin() -> None:
    one, trial = rows(182), next(trials(split(folds=2)))
    both = trial.keeps(joined([one, one]))
    alone = trial.keeps(one)
    np.testing.assert_array_equal(both.origin, np.tile(alone.origin, 2))
    np.testing.assert_array_equal(both.target, np.tile(alone.target, (2, 1)))


def test_no_row_at_all_is_refused() -> None:
    (trial,) = trials(split(folds=1, first=0))
    with pytest.raises(RungError, match="expected training origins, got none"):
        trial.keeps(rows(182))


def test_rows_of_one_series_are_joined_as_they_are() -> None:
    data = rows(5)
    assert joined([data]) is data
