"""Which seasonal naive is the baseline when a sum over targets and a mean over series disagree."""

from datetime import UTC, datetime, time

import numpy as np
import pytest

from frugal_ai.backtest.compare import mean_error
from frugal_ai.backtest.split import Split
from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.data.quality import inspect
from frugal_ai.features.grid import local_grid
from frugal_ai.judge import seasonal_naive
from frugal_ai.prepare import Prepared

DAY, STEPS, DAYS = 86400, 24, 60
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
FIRST, LAST = 30, 54  # days of the test origins
FILL = 40.0


def prepared(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Prepared:
    nothing = np.empty((*values.shape, 0))
    panel = Panel(
        series_ids=("weekly", "trend"), start=START, step_s=3600, values=values, known_names=(),
        known=nothing, past_names=(), past=nothing, static_names=(), static=np.empty((2, 0)),
        simulated=False,
    )  # fmt: skip
    grid = local_grid(
        step_s=3600, horizon=STEPS, timezone="UTC", holidays=None, valid_from=START,
        valid_until=START + 2 * DAYS * DAY,
    )  # fmt: skip
    filled = np.where(np.isnan(values), FILL, values)
    test = START + DAY * np.arange(FIRST, LAST)
    split = Split(START, test[:1] - 10 * DAY, test, (time(0),), "UTC")
    series = tuple(Series(panel, i, filled[i], STEPS) for i in range(2))
    return Prepared(panel, inspect(panel), series, (grid, grid), split)


def test_the_better_seasonal_naive_is_the_one_with_the_smaller_mean_error() -> None:
    day = np.arange(DAYS * STEPS) // STEPS
    weekly = np.array([0.0, 12, 0, 12, 0, 12, 24])[day % 7]  # hard for the day
    trend = FILL + 6.0 * (day - (LAST - 10))  # hard for the week, and with few targets
    values = np.stack([weekly, trend])
    values[1, FIRST * STEPS : (LAST - 10) * STEPS] = np.nan
    ready = prepared(values)
    actual = np.stack([series.targets(ready.split.test) for series in ready.series])
    means, sums = [], []
    for season in (STEPS, 7 * STEPS):
        at = np.arange(FIRST, LAST)[:, None] * STEPS + np.arange(STEPS) - season  # [O, H]
        errors = np.abs(np.stack([series.filled[at] for series in ready.series]) - actual)
        means.append(float(np.mean([np.nanmean(one) for one in errors])))
        sums.append(float(np.nansum(errors)))
    assert (means[0] < means[1], sums[0] < sums[1]) == (True, False)
    found = mean_error(seasonal_naive(ready, ready.split.test, actual).errors)
    assert found == pytest.approx(means[0])
