from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from frugal_ai.backtest.metrics import mae
from frugal_ai.plots.days import all_days, in_a_row, median_week, worst_days
from frugal_ai.report.forecasts import ForecastTable

Make = Callable[..., ForecastTable]
PARIS = "Europe/Paris"


def with_errors(table: ForecastTable, errors: list[float]) -> ForecastTable:
    """Give each origin one absolute error, too high and too low by turns."""
    signs = np.where(np.arange(table.steps) % 2, 1.0, -1.0)
    away = np.array(errors)[:, None] * signs
    return replace(table, actual=table.forecast - away[None])


def date(days: int) -> str:
    return str(np.datetime64(days, "D"))


def test_the_worst_days_are_those_of_the_largest_error(make_table: Make) -> None:
    errors = [1.0] * 28
    errors[3], errors[20], errors[9] = 5.0, 7.0, 6.0
    found = worst_days(with_errors(make_table(), errors), PARIS, 3)
    assert [date(one.first) for one in found] == ["2024-01-21", "2024-01-10", "2024-01-04"]
    assert [one.mae for one in found] == pytest.approx([7.0, 6.0, 5.0])
    assert [one.origins.tolist() for one in found] == [[20], [9], [3]]
    assert all(one.first == one.last for one in found)


def test_of_equal_days_the_earlier_is_worse(make_table: Make) -> None:
    found = worst_days(with_errors(make_table(days=5), [1.0, 2.0, 2.0, 2.0, 1.0]), PARIS, 2)
    assert [one.origins.tolist() for one in found] == [[1], [2]]


def test_the_origins_of_a_local_day_belong_together(make_table: Make) -> None:
    table = make_table(days=3, steps=2)
    evening = table.origins + 22 * 3600  # 22:00 in Paris, the same day there and in UTC
    both = np.sort(np.concatenate([table.origins, evening]))
    twice = [np.repeat(a, 2, axis=1) for a in (table.actual, table.forecast, table.baseline)]
    quantiles = np.repeat(table.quantiles, 2, axis=1)
    doubled = ForecastTable(
        table.series_ids, both, 3600, twice[0], twice[1], twice[2], table.levels, quantiles
    )
    found = worst_days(with_errors(doubled, [1, 1, 5, 1, 2, 2]), PARIS, 3)
    assert [one.origins.tolist() for one in found] == [[2, 3], [4, 5], [0, 1]]
    assert [one.mae for one in found] == pytest.approx([3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("weekly", "expected"), [([3.0, 1.0, 2.0], 2), ([4.0, 1.0, 3.0, 2.0], 3), ([5.0], 0)]
)
def test_the_week_is_the_one_in_the_middle_and_the_better_of_two(
    make_table: Make, weekly: list[float], expected: int
) -> None:
    errors = np.repeat(weekly, 7).tolist()
    found = median_week(with_errors(make_table(days=len(errors)), errors), PARIS)
    assert found is not None
    assert found.origins.tolist() == list(range(7 * expected, 7 * expected + 7))
    assert found.mae == pytest.approx(weekly[expected])
    assert found.last - found.first == 6
    assert date(found.first) == f"2024-01-{1 + 7 * expected:02}"


def test_a_week_that_is_cut_is_no_week(make_table: Make) -> None:
    table = with_errors(make_table(days=13), [2.0] * 7 + [1.0] * 6)
    found = median_week(table, PARIS)
    assert found is not None
    assert found.mae == pytest.approx(2.0)
    assert median_week(make_table(days=6), PARIS) is None


def test_a_test_with_an_origin_every_other_day_has_weeks(make_table: Make) -> None:
    every_other = make_table(days=28).origins[::2]
    table = make_table(days=14)
    thinned = ForecastTable(
        table.series_ids, every_other, 3600, table.actual, table.forecast, table.baseline,
        table.levels, table.quantiles,
    )  # fmt: skip
    found = median_week(thinned, PARIS)
    assert found is not None
    assert found.last - found.first == 6
    assert 3 <= len(found.origins) <= 4


def test_days_that_nobody_observed_are_left_out(make_table: Make) -> None:
    table = with_errors(make_table(days=14), [1.0] * 7 + [9.0] * 7)
    actual = table.actual.copy()
    actual[:, 7:] = np.nan
    blind = replace(table, actual=actual)
    assert max(int(one.origins.max()) for one in worst_days(blind, PARIS, 14)) == 6
    week = median_week(blind, PARIS)
    assert week is not None
    assert week.mae == pytest.approx(1.0)


def test_all_days_have_the_error_of_the_test(make_table: Make) -> None:
    table = make_table(series=3, days=5)
    found = all_days(table, PARIS)
    assert (date(found.first), date(found.last)) == ("2024-01-01", "2024-01-05")
    assert found.mae == pytest.approx(mae(table.forecast, table.actual))


def test_errors_are_averaged_over_series_however_much_of_them_was_observed(
    make_table: Make,
) -> None:
    table = make_table(series=2, days=1)
    actual = table.forecast - np.array([1.0, 3.0])[:, None, None]
    actual[0, 0, 4:] = np.nan
    (found,) = worst_days(replace(table, actual=actual), PARIS, 3)
    assert found.mae == pytest.approx(2.0)


def test_forecasts_in_a_row_do_not_lie_over_each_other(make_table: Make) -> None:
    every_day = np.arange(28)
    assert in_a_row(make_table(steps=24), every_day).tolist() == list(range(28))
    assert in_a_row(make_table(steps=48), every_day).tolist() == list(range(0, 28, 2))
    assert in_a_row(make_table(steps=72), every_day[5:]).tolist() == list(range(5, 28, 3))
    assert in_a_row(make_table(steps=2), every_day).tolist() == list(range(28))


def test_the_day_of_23_hours_is_not_left_out(make_table: Make) -> None:
    spring = datetime(2024, 3, 29, tzinfo=ZoneInfo(PARIS))
    table = make_table(days=5, first=spring)
    assert 82800 in np.diff(table.origins)
    assert in_a_row(table, np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    (worst, *_) = worst_days(with_errors(table, [1, 1, 9, 1, 1]), PARIS, 1)
    assert date(worst.first) == "2024-03-31"
    assert datetime.fromtimestamp(int(table.origins[3]), UTC).hour == 22
