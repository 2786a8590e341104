"""Windows of covariates with vintages: each origin with its own view, and what is missing in it."""

from dataclasses import replace

import numpy as np
import pytest

from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.data.vintages import VintageIndex, Vintages
from frugal_ai.errors import DataError
from frugal_ai.features.blocks.base import Reach

H, T, HORIZON, LOOKBACK = 3600, 240, 24, 6
DAYS = np.arange(T // 24) * 24 * H
READ = Reach(1, LOOKBACK, frozenset({"temp", "size"}))


def runs(available_h: int = -6, hours: int = 36, value: float = 100.0) -> Vintages:
    """A run a day from midnight on; its values say which run, and for which hour."""
    rows = sorted(
        (int(day + h * H), int(day + available_h * H), value * i + h)
        for i, day in enumerate(DAYS)
        for h in range(hours)
    )
    times, available_at, values = (np.array(column) for column in zip(*rows, strict=True))
    return Vintages(VintageIndex.of(times, available_at), values.astype(float), "linear", H)


def series(temp: Vintages | None = None, other: Vintages | None = None) -> Series:
    """A series with a plain known covariate, `size`, between two with vintages."""
    known = np.full((1, T, 3), np.nan)
    known[0, :, 1] = np.arange(T)
    first = temp or runs()
    panel = Panel(
        series_ids=("a",), start=0, step_s=H, values=np.arange(float(T))[None],
        known_names=("temp", "size", "wind"), known=known,
        past_names=(), past=np.empty((1, T, 0)), static_names=(), static=np.empty((1, 0)),
        simulated=False, vintages={"temp": (first,), "wind": (other or first,)},
    )  # fmt: skip
    return Series(panel, 0, np.arange(float(T)), HORIZON)


def test_each_origin_sees_the_run_that_it_could_have() -> None:
    midnights = series().windows(DAYS[1:5], READ)
    for i, view in enumerate(midnights.known[:, :, 0]):
        today, yesterday = 100.0 * (i + 1) + np.arange(24), 100.0 * i + np.arange(18, 24)
        np.testing.assert_array_equal(view, np.concatenate([yesterday, today]))
    # an hour before a run is there, the one before stands, as far as it goes
    evening = DAYS[2:3] - 7 * H
    early = series(runs(hours=72)).windows(evening, READ).known[0, :, 0]
    np.testing.assert_array_equal(early, 100.0 + np.arange(24 - 7 - LOOKBACK, 48 - 7))


def test_covariates_keep_their_columns() -> None:
    wind = replace(runs(), values=-runs().values)
    for one in (series(other=wind), series(other=runs(value=7.0))):
        cut = one.windows(DAYS[1:5], Reach(1, 0, frozenset({"wind", "size", "temp"})))
        assert cut.known.shape == (4, HORIZON, 3)
        assert cut.known.dtype == np.float32
        ahead = 24 * np.arange(1, 5)[:, None] + np.arange(HORIZON)
        np.testing.assert_array_equal(cut.known[:, :, 1], ahead)
        alone = one.windows(DAYS[1:5], Reach(1, 0, frozenset({"wind"}))).known
        np.testing.assert_array_equal(alone[:, :, 0], cut.known[:, :, 2])
        assert not np.array_equal(cut.known[:, :, 0], cut.known[:, :, 2])
    plain = series().windows(DAYS[1:5], Reach(1, 0, frozenset({"size"}))).known
    np.testing.assert_array_equal(plain[:, :, 0], ahead)


def test_the_panels_own_column_is_never_read() -> None:
    """It holds nothing at all here, and windows are whole."""
    one = series()
    assert np.isnan(one.panel.known[0, :, 0]).all()
    clean = one.windows(DAYS[1:], READ).known
    poisoned = one.panel.known.copy()
    poisoned[0, :, [0, 2]] = 1e9
    spoiled = Series(replace(one.panel, known=poisoned), 0, one.filled, HORIZON)
    np.testing.assert_array_equal(spoiled.windows(DAYS[1:], READ).known, clean)


def fails(one: Series, origins: list[int]) -> str:
    with pytest.raises(DataError) as caught:
        one.windows(np.array(origins), READ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_origin_before_all_vintages_is_told_from_one_that_they_do_not_reach() -> None:
    late = runs(available_h=30)
    assert fails(series(late), [24 * H]) == (
        "known covariate temp of a: no vintage is available yet at the origin"
        " 1970-01-02T00:00:00Z; the first is at 1970-01-02T06:00:00Z"
    )
    assert fails(series(runs(hours=20)), [24 * H, 48 * H]) == (
        "known covariate temp of a: expected a value for 1970-01-01T20:00:00Z that is available at"
        " the origin 1970-01-02T00:00:00Z, got none, though it is known until 1970-01-02T19:00:00Z"
    )


def test_a_covariate_that_ends_before_the_horizon_is_told_from_one_that_comes_too_late() -> None:
    noon = [int(day) + 12 * H for day in DAYS]
    assert fails(series(runs(hours=30)), noon[1:5]) == (
        "known covariate temp of a ends before the horizon: at the origin 1970-01-02T12:00:00Z it"
        " is known until 1970-01-03T05:00:00Z, needed until 1970-01-03T11:00:00Z; more is"
        " available from 1970-01-02T18:00:00Z on"
    )
    last = [int(DAYS[-1])]
    cut = runs(hours=24)
    kept = cut.index.times < DAYS[-1] + 20 * H
    index = VintageIndex.of(cut.index.times[kept], cut.index.available_at[kept])
    ended = replace(cut, index=index, values=cut.values[kept])
    assert fails(series(ended), last) == (
        "known covariate temp of a ends before the horizon: at the origin 1970-01-10T00:00:00Z it"
        " is known until 1970-01-10T19:00:00Z, needed until 1970-01-10T23:00:00Z"
    )


def test_a_covariate_that_is_missing_is_asked_for_only_where_it_is_read() -> None:
    bad = series(other=runs(available_h=30))
    bad.windows(DAYS[1:], READ)
    with pytest.raises(DataError, match="known covariate wind of a: no vintage is available yet"):
        bad.windows(DAYS[1:], Reach(1, 0, frozenset({"wind"})))


def test_each_series_has_its_own_vintages() -> None:
    one = series()
    twice = {name: np.repeat(getattr(one.panel, name), 2, axis=0)
             for name in ("values", "known", "past", "static")}  # fmt: skip
    vintages = {"temp": (runs(), runs(value=7.0)), "wind": (runs(),)}
    given = {**one.panel.__dict__, **twice, "series_ids": ("a", "b"), "vintages": vintages}
    both = Panel(**given)
    cuts = [Series(both, i, one.filled, HORIZON).windows(DAYS[1:], READ).known for i in (0, 1)]
    np.testing.assert_array_equal(cuts[0][1, LOOKBACK:, 0], 200.0 + np.arange(24))
    np.testing.assert_array_equal(cuts[1][1, LOOKBACK:, 0], 14.0 + np.arange(24))
