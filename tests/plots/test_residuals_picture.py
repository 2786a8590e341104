from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from frugal_ai.backtest.metrics import bias
from frugal_ai.plots.residuals import by_hour
from frugal_ai.report.forecasts import ForecastTable

Make = Callable[..., ForecastTable]
PARIS = "Europe/Paris"


def test_residuals_are_sorted_by_the_local_clock(make_table: Make) -> None:
    spring = datetime(2024, 3, 25, tzinfo=ZoneInfo(PARIS))
    table = make_table(days=14, step_s=1800, steps=48, first=spring)
    local = [
        [datetime.fromtimestamp(int(t), UTC).astimezone(ZoneInfo(PARIS)).hour for t in row]
        for row in table.times
    ]
    # as wrong as the hour is late
    found = by_hour(replace(table, actual=table.forecast - np.array(local)[None]), PARIS)
    np.testing.assert_allclose(found.bias, np.arange(24))
    np.testing.assert_allclose(found.quantiles, np.repeat(np.arange(24.0)[:, None], 5, axis=1))


def test_quantiles_and_bias_are_those_of_numpy(make_table: Make) -> None:
    table = make_table(days=20)
    found = by_hour(table, PARIS)
    residual = (table.forecast - table.actual)[0]
    for hour in (0, 7, 23):
        expected = np.quantile(residual[:, hour], [0.05, 0.25, 0.5, 0.75, 0.95])
        np.testing.assert_allclose(found.quantiles[hour], expected)
    assert found.bias.mean() == pytest.approx(bias(table.forecast, table.actual))
    assert np.all(np.diff(found.quantiles, axis=1) > 0)


def test_series_count_the_same_however_much_of_them_was_observed(make_table: Make) -> None:
    table = make_table(series=2)
    actual = table.forecast - np.array([1.0, 3.0])[:, None, None]
    actual[0, 1:] = np.nan
    actual[1, :, 5] = np.nan
    found = by_hour(replace(table, actual=actual), PARIS)
    assert found.bias[4] == pytest.approx(2.0)
    assert found.bias[5] == pytest.approx(1.0)  # of the only series that was observed


def test_hours_without_a_forecast_have_no_residuals(make_table: Make) -> None:
    found = by_hour(make_table(steps=6), PARIS)
    assert np.isfinite(found.bias[:6]).all()
    assert np.isnan(found.bias[6:]).all()
    assert np.isnan(found.quantiles[6:]).all()
