from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from frugal_ai.backtest.compare import draw_resamples
from frugal_ai.backtest.probabilistic import coverage_interval, shares_below
from frugal_ai.plots.reliability import reliability
from frugal_ai.report.forecasts import ForecastTable

Make = Callable[..., ForecastTable]
NINE = tuple(round(0.1 * level, 1) for level in range(1, 10))


def test_true_quantiles_lie_on_the_diagonal(make_table: Make) -> None:
    table = make_table(days=364, levels=NINE)
    found = reliability(table, draw_resamples(table.origins, 300, seed=1))
    assert found is not None
    for level, observed in zip(NINE, found.observed, strict=True):
        assert observed.value == pytest.approx(level, abs=0.015)
        assert observed.low < observed.value < observed.high
    assert [round(one.nominal, 9) for one in found.coverages] == [0.8, 0.6, 0.4]
    for one in found.coverages:
        assert one.observed is not None
        assert one.observed.value == pytest.approx(one.nominal, abs=0.015)
        assert np.nanmean(one.by_lead.mean) == pytest.approx(one.observed.value)
        assert np.all(one.by_lead.low < one.by_lead.high)
    assert found.open == 1.0


def test_the_shares_are_those_of_the_scores(make_table: Make) -> None:
    table = make_table(series=2, levels=(0.2, 0.5, 0.8))
    actual = table.actual + 0.1
    actual[0, 3:6] = np.nan
    quantiles = table.quantiles.copy()
    quantiles[1, :, :6] = 0.0
    actual[1, :, :6] = 0.0
    table = replace(table, actual=actual, quantiles=quantiles)
    draws = draw_resamples(table.origins, 300, seed=1)
    found = reliability(table, draws)
    assert found is not None
    np.testing.assert_allclose(
        [one.value for one in found.observed], shares_below(table.quantiles, table.actual)
    )
    expected = coverage_interval(table.quantiles, table.actual, (0, 2), draws)
    observed = found.coverages[0].observed
    assert observed is not None
    assert expected is not None
    assert (observed.value, observed.low, observed.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    scored = ~np.isnan(table.actual)
    night = scored[1, :, :6].sum() / scored.sum()
    assert found.open == pytest.approx(1 - night)


def test_quantiles_that_are_too_low_are_seen(make_table: Make) -> None:
    table = make_table()
    low = replace(table, quantiles=table.quantiles - 1.0)
    found = reliability(low, draw_resamples(low.origins, 300, seed=1))
    assert found is not None
    assert found.observed[-1].value < 0.1
    assert found.observed[-1].high < 0.9


def test_where_all_is_certain_there_is_nothing_to_check(make_table: Make) -> None:
    table = make_table()
    certain = replace(table, quantiles=np.repeat(table.actual[..., None], 3, axis=3))
    assert reliability(certain, draw_resamples(table.origins, 300, seed=1)) is None


@pytest.mark.parametrize(("levels", "pairs"), [((0.5,), 0), ((0.1, 0.9), 1), (NINE, 3)])
def test_pairs_of_levels_make_intervals(
    make_table: Make, levels: tuple[float, ...], pairs: int
) -> None:
    table = make_table(levels=levels)
    found = reliability(table, draw_resamples(table.origins, 100, seed=1))
    assert found is not None
    assert len(found.coverages) == pairs
    assert len(found.observed) == len(levels)
