from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.panel import FloatArray, Panel
from frugal_ai.data.quality import Period, Prepared, QualityPolicy, enforce
from frugal_ai.errors import DataError

T0 = 1_704_067_200  # 2024-01-01
H = 3600
N = 96
NAN = np.nan
PERIOD = Period(
    start=T0 + 8 * H, first_origin=T0 + 48 * H, last_origin=T0 + 72 * H, end=T0 + 96 * H,
    known_start=T0 + 8 * H,
)  # fmt: skip


def wave() -> FloatArray:
    level: FloatArray = 10.0 + np.sin(np.arange(N) / 4.0)
    return level


def panel(**holes: slice | int) -> Panel:
    """Two series with a known and a past covariate; `holes` says where one of them is missing."""
    arrays = {
        "values": np.stack([wave(), wave() + 1.0]),
        "known": np.stack([wave(), wave()])[..., None],
        "past": np.stack([wave(), wave()])[..., None],
    }
    for name, where in holes.items():
        arrays[name][0, where] = NAN
    return Panel(
        series_ids=("a", "b"), start=T0, step_s=H, values=arrays["values"],
        known_names=("temp",), known=arrays["known"],
        past_names=("flow",), past=arrays["past"],
        static_names=(), static=np.empty((2, 0)), simulated=False,
    )  # fmt: skip


def run(given_panel: Panel, period: Period = PERIOD, **policy: Any) -> Prepared:
    return enforce(given_panel, QualityPolicy(**policy), period)


def test_good_data_pass_as_they_are() -> None:
    given_panel = panel()
    prepared = run(given_panel)
    np.testing.assert_array_equal(prepared.panel.values, given_panel.values)
    np.testing.assert_array_equal(prepared.history, given_panel.values)
    np.testing.assert_array_equal(prepared.past, given_panel.past)
    assert [one.filled for one in prepared.report.series] == [0, 0]


def test_targets_keep_their_gaps_and_history_does_not() -> None:
    prepared = run(panel(values=slice(20, 23)))
    assert np.isnan(prepared.panel.values[0, 20:23]).all()
    line = np.interp([20, 21, 22], [19, 23], wave()[[19, 23]])
    np.testing.assert_allclose(prepared.history[0, 20:23], line)
    assert prepared.report.series[0].filled == 3
    assert "a: 3 missing values filled in the history of forecasts; none of them is scored" in (
        prepared.report.lines()
    )


def test_after_the_first_origin_the_previous_value_stands_in() -> None:
    prepared = run(panel(values=slice(60, 63)))
    np.testing.assert_array_equal(prepared.history[0, 60:63], [wave()[59]] * 3)


def test_the_previous_value_may_be_declared_throughout() -> None:
    prepared = run(panel(values=slice(20, 23)), fill="previous")
    np.testing.assert_array_equal(prepared.history[0, 20:23], [wave()[19]] * 3)


def test_past_covariates_are_filled_likewise() -> None:
    prepared = run(panel(past=slice(60, 63)))
    np.testing.assert_array_equal(prepared.past[0, 60:63, 0], [wave()[59]] * 3)
    assert np.isnan(prepared.panel.past[0, 60:63, 0]).all()
    assert "past covariate flow: 3 missing values filled" in prepared.report.lines()


@pytest.mark.parametrize("where", [slice(20, 27), slice(60, 67), slice(44, 52), slice(70, 77)])
def test_a_gap_longer_than_the_policy_is_refused(where: slice) -> None:
    with pytest.raises(DataError, match=r"^a: gap of [78] steps \([78]h\) from 2024-01-.*"
                       "fill: linear, max_gap: 6h"):  # fmt: skip
        run(panel(values=where))
    run(panel(values=where), max_gap=timedelta(hours=8))


def test_a_gap_of_a_past_covariate_is_refused() -> None:
    with pytest.raises(DataError, match=r"^past covariate flow of a: gap of 7 steps"):
        run(panel(past=slice(20, 27)))


def test_every_gap_is_refused_when_nothing_may_be_filled() -> None:
    with pytest.raises(DataError, match=r"a: gap of 1 steps .* fill: none"):
        run(panel(values=slice(20, 21)), fill="none")


@pytest.mark.parametrize("where", [slice(0, 8), slice(80, 96)])
def test_a_gap_beyond_the_period_does_not_matter(where: slice) -> None:
    """Before the start nothing is read, and what is missing after the last origin is not scored."""
    run(panel(values=where))


def test_a_series_that_starts_too_late_is_refused() -> None:
    with pytest.raises(
        DataError,
        match="a: expected values from 2024-01-01T08:00:00Z, got the first at 2024-01-01T10",
    ):
        run(panel(values=slice(0, 10)))


@pytest.mark.parametrize(
    "period",
    [
        replace(PERIOD, last_origin=T0 + 200 * H, end=T0 + 224 * H),
        replace(PERIOD, start=T0 - 48 * H, first_origin=T0 - 24 * H),
        replace(PERIOD, start=T0 - 48 * H, first_origin=T0),
    ],
)
def test_an_origin_outside_the_data_is_refused(period: Period) -> None:
    with pytest.raises(
        DataError,
        match=r"a: expected data around every origin .* got data from 2024-01-01T00:00:00Z",
    ):
        run(panel(), period)


def test_an_origin_after_the_last_value_is_refused() -> None:
    with pytest.raises(DataError, match=r"a: expected data around every origin .*2024-01-03T23"):
        run(panel(values=slice(72, 96)))
    run(panel(values=slice(73, 96)))


@pytest.mark.parametrize("where", [8, 50, 94])
def test_a_known_covariate_that_is_missing_is_refused(where: int) -> None:
    with pytest.raises(
        DataError, match=r"known covariate temp of a is missing at 2024-01-0.*needed"
    ):
        run(panel(known=where))


def test_a_known_covariate_may_be_missing_where_it_is_not_read() -> None:
    run(panel(known=slice(0, 8)))


def test_known_covariates_that_reach_not_far_enough_are_refused() -> None:
    with pytest.raises(DataError, match="known covariates temp: expected them from"):
        run(panel(), replace(PERIOD, known_start=T0 - H))
    with pytest.raises(DataError, match=r"temp of a: expected values from .* got none"):
        run(panel(known=slice(0, N)))


@pytest.mark.parametrize(
    ("known", "end", "until"), [(95, 0, "22"), (slice(90, 96), 0, "17"), (slice(0), H, "23")]
)
def test_a_known_covariate_that_ends_before_the_horizon_is_refused(
    known: int | slice, end: int, until: str
) -> None:
    with pytest.raises(DataError) as caught:
        run(panel(known=known), replace(PERIOD, end=PERIOD.end + end))
    needed = "2024-01-05T00" if end else "2024-01-04T23"
    assert str(caught.value) == (
        "known covariate temp of a ends before the horizon: known until"
        f" 2024-01-04T{until}:00:00Z, needed until {needed}:00:00Z for the last origin"
        " 2024-01-04T00:00:00Z"
    )


def test_a_constant_series_is_refused() -> None:
    given_panel = panel()
    values = given_panel.values.copy()
    values[1, 8:48] = 4.0
    with pytest.raises(DataError, match=r"b: expected values that vary from .* got 4 throughout"):
        run(replace(given_panel, values=values))


def test_a_series_without_a_value_is_refused() -> None:
    with pytest.raises(DataError, match="a: expected values, all are missing"):
        run(panel(values=slice(0, N)))
    with pytest.raises(DataError, match=r"a: expected values from .*, all are missing"):
        run(panel(values=slice(1, 48)))


def test_impossible_values_are_refused_or_taken_for_missing() -> None:
    given_panel = panel()
    values = given_panel.values.copy()
    values[0, [3, 20]] = 500.0
    spoiled = replace(given_panel, values=values)
    with pytest.raises(
        DataError,
        match=r"a: expected values from any to 50, got 500 at 2024-01-01T20:00:00Z \(1 such",
    ):
        run(spoiled, maximum=50.0)
    prepared = run(spoiled, maximum=50.0, outside="missing")
    assert np.isnan(prepared.panel.values[0, 20])
    assert prepared.history[0, 20] == pytest.approx(wave()[[19, 21]].mean())
    assert prepared.report.series[0].filled == 1
    assert any("1 impossible values taken for missing" in line for line in prepared.report.lines())


def test_stuck_values_are_reported_or_refused() -> None:
    given_panel = panel()
    values = given_panel.values.copy()
    values[0, 20:32] = 5.0
    stuck = replace(given_panel, values=values)
    policy: dict[str, Any] = {"flatline": timedelta(hours=12)}
    assert any("a: stuck for 12 steps" in line for line in run(stuck, **policy).report.lines())
    with pytest.raises(DataError, match="a: expected no value that stands still for 12h, got one"):
        run(stuck, **policy, stuck="refuse")


def test_a_change_of_unit_is_reported_or_refused() -> None:
    days = 80
    row = 50.0 + np.sin(np.arange(24 * days) / 4.0)
    row[24 * 40 :] *= 1000.0
    empty = np.empty((1, 24 * days, 0))
    given_panel = Panel(
        ("a",), T0, H, row[None], (), empty, (), empty, (), np.empty((1, 0)), simulated=False
    )
    period = Period(start=T0, first_origin=T0 + 60 * 86400, last_origin=T0 + 78 * 86400,
                    end=T0 + 79 * 86400, known_start=T0)  # fmt: skip
    report = run(given_panel, period).report
    assert any("level changes by the factor" in line for line in report.lines())
    with pytest.raises(DataError, match=r"a: expected one unit throughout, .*2024-02-10T00"):
        run(given_panel, period, jumps="refuse")


@pytest.mark.parametrize(
    "changes",
    [{"first_origin": T0}, {"last_origin": T0 + 47 * H}, {"end": T0 + 72 * H}],
)
def test_a_period_that_is_not_in_order_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(DataError, match="expected start < first origin <= last origin < end"):
        replace(PERIOD, **changes)


@given(
    origin=st.integers(48, 72),
    gap=st.integers(10, 90),
    length=st.integers(1, 6),
    poison=st.floats(-1e6, 1e6),
)
def test_no_history_sees_what_comes_after_its_origin(
    origin: int, gap: int, length: int, poison: float
) -> None:
    holes = slice(gap, min(gap + length, 95))
    clean = panel(values=holes, past=holes)
    values, past = clean.values.copy(), clean.past.copy()
    values[0, origin:] = np.where(np.isnan(values[0, origin:]), NAN, poison)
    past[0, origin:] = np.where(np.isnan(past[0, origin:]), NAN, poison)
    before, after = run(clean), run(replace(clean, values=values, past=past))
    np.testing.assert_array_equal(before.history[:, :origin], after.history[:, :origin])
    np.testing.assert_array_equal(before.past[:, :origin], after.past[:, :origin])
