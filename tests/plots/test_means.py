from collections.abc import Callable

import numpy as np
import pytest

from frugal_ai.backtest.compare import draw_resamples, mean_interval
from frugal_ai.backtest.leads import Band, errors_by_lead
from frugal_ai.backtest.metrics import deviations, origin_errors
from frugal_ai.errors import DataError
from frugal_ai.plots.lead_time import errors_with_intervals
from frugal_ai.plots.means import by_lead_time, overall
from frugal_ai.report.forecasts import ForecastTable

Make = Callable[..., ForecastTable]


def holed(table: ForecastTable) -> ForecastTable:
    actual = table.actual.copy()
    actual[0, 2:9] = np.nan
    actual[:, :, 5] = np.nan
    actual[1, :, 7] = np.nan
    actual[1, 3, 10:14] = np.nan
    return ForecastTable(
        table.series_ids, table.origins, table.step_s, actual, table.forecast, table.baseline,
        table.levels, table.quantiles,
    )  # fmt: skip


def test_the_mean_of_errors_is_that_of_the_report(make_table: Make) -> None:
    table = holed(make_table(series=2))
    draws = draw_resamples(table.origins, 200, seed=3)
    scores = np.abs(deviations(table.forecast, table.actual))
    expected = mean_interval(origin_errors(table.forecast, table.actual), draws)
    found = overall(scores, draws, 0.95)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_errors_by_lead_time_agree_with_those_of_the_report(make_table: Make) -> None:
    table = holed(make_table(series=2))
    draws = draw_resamples(table.origins, 200, seed=3)
    found = errors_with_intervals(table.forecast, table.actual, draws)
    steps = [Band(step, step + 1, slice(step, step + 1)) for step in range(24)]
    reported = errors_by_lead(table.forecast, table.actual, steps, draws)
    assert [one.band.from_s for one in reported] == [step for step in range(24) if step != 5]
    expected = np.array([[one.mae.value, one.mae.low, one.mae.high] for one in reported])
    curves = np.stack([found.mean, found.low, found.high], axis=1)
    np.testing.assert_allclose(np.delete(curves, 5, axis=0), expected)
    assert np.flatnonzero(np.isnan(found.mean)).tolist() == [5]
    assert np.flatnonzero(np.isnan(found.low)).tolist() == [5]
    rest = np.arange(24) != 5
    assert np.all(found.low[rest] < found.mean[rest])
    assert np.all(found.mean[rest] < found.high[rest])
    assert np.all(found.low[rest] >= 0)


def test_few_origins_have_no_interval(make_table: Make) -> None:
    table = make_table(days=5)
    draws = draw_resamples(table.origins, 200, seed=3)
    found = by_lead_time(np.abs(table.actual), draws, 0.95)
    assert np.isfinite(found.mean).all()
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


def test_nothing_scored_has_no_mean(make_table: Make) -> None:
    table = make_table()
    draws = draw_resamples(table.origins, 200, seed=3)
    nothing = np.full(table.actual.shape, np.nan)
    with pytest.raises(DataError, match="finite mean"):
        overall(nothing, draws, 0.95)
    assert np.isnan(by_lead_time(nothing, draws, 0.95).mean).all()
