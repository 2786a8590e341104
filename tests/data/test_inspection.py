from datetime import timedelta

import numpy as np
import pytest

from frugal_ai.data.inspection import inspect
from frugal_ai.data.panel import FloatArray, Panel
from frugal_ai.data.policy import QualityPolicy

T0 = 1_704_067_200  # 2024-01-01
NAN = np.nan


def panel(*rows: list[float] | FloatArray) -> Panel:
    values = np.array(rows, dtype=np.float64)
    series, steps = values.shape
    return Panel(
        series_ids=tuple("abc"[:series]), start=T0, step_s=3600, values=values,
        known_names=(), known=np.empty((series, steps, 0)),
        past_names=(), past=np.empty((series, steps, 0)),
        static_names=(), static=np.empty((series, 0)), simulated=False,
    )  # fmt: skip


def test_gaps_are_counted_between_the_first_and_the_last_value() -> None:
    report = inspect(panel([NAN, 1.0, NAN, 2.0, NAN, NAN, 3.0, NAN]))
    one = report.series[0]
    assert (one.first, one.last) == (T0 + 3600, T0 + 6 * 3600)
    assert (one.observed, one.missing) == (3, 3)
    assert (one.gap_start, one.gap_steps) == (T0 + 4 * 3600, 2)
    assert report.lines() == [
        "a: 2024-01-01T01:00:00Z to 2024-01-01T06:00:00Z, 3 values, 3 missing",
        "a: longest gap 2 steps (2h) from 2024-01-01T04:00:00Z",
    ]


def test_only_the_period_counts() -> None:
    p = panel([1.0, NAN, NAN, 2.0, 3.0, NAN, 4.0])
    one = inspect(p, start=T0 + 2 * 3600, end=T0 + 5 * 3600).series[0]
    assert (one.first, one.last, one.missing, one.gap_steps) == (T0 + 10800, T0 + 14400, 0, 0)
    wide = inspect(p, start=T0 - 86400, end=T0 + 86400)
    assert (wide.start, wide.end) == (p.start, p.end)
    assert wide.series[0].missing == 3


@pytest.mark.parametrize("row", [[NAN, NAN, NAN], []])
def test_a_series_without_a_value(row: list[float]) -> None:
    report = inspect(panel(row))
    assert (report.series[0].first, report.series[0].observed) == (None, 0)
    assert report.lines() == ["a: no value"]


def test_a_stand_still_counts_from_the_threshold_on() -> None:
    row = [1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0]
    for hours, found in ((3, (T0 + 3600, 3)), (4, (T0, 0))):
        one = inspect(panel(row), QualityPolicy(flatline=timedelta(hours=hours))).series[0]
        assert (one.flat_start, one.flat_steps) == found


def test_a_gap_interrupts_a_stand_still() -> None:
    policy = QualityPolicy(flatline=timedelta(hours=3))
    assert inspect(panel([2.0, 2.0, NAN, 2.0, 2.0]), policy).series[0].flat_steps == 0


def test_impossible_values() -> None:
    policy = QualityPolicy(minimum=0.0, maximum=10.0)
    report = inspect(panel([0.0, 10.0, NAN, 11.0, -1.0], [1.0] * 5), policy)
    assert (report.series[0].outside, report.series[0].outside_start) == (2, T0 + 3 * 3600)
    assert report.series[1].outside == 0
    assert "a: 2 impossible values, the first at 2024-01-01T03:00:00Z" in report.lines()


def wavy(days: int) -> FloatArray:
    hours = np.arange(24 * days)
    noise = np.random.RandomState(0).standard_normal(len(hours))
    level: FloatArray = 50.0 + 20.0 * np.sin(hours * np.pi / 12) + noise
    return level


@pytest.mark.parametrize("factor", [1000.0, 10.5, 0.001])
def test_a_change_of_unit_is_found_where_it_is(factor: float) -> None:
    row = wavy(100)
    row[24 * 60 :] *= factor
    jumps = inspect(panel(row)).series[0].jumps
    assert len(jumps) == 1
    assert jumps[0].start == T0 + 60 * 86400
    assert jumps[0].factor == pytest.approx(factor, rel=0.05)


def test_a_change_of_unit_with_a_gap() -> None:
    row = wavy(100)
    row[24 * 60 :] *= 1000.0
    row[24 * 58 : 24 * 60] = NAN
    jumps = inspect(panel(row)).series[0].jumps
    assert len(jumps) == 1
    assert abs(jumps[0].start - (T0 + 60 * 86400)) <= 7 * 86400


def test_what_is_no_change_of_unit() -> None:
    hours = np.arange(24 * 100)
    season = wavy(100) * np.linspace(1.0, 9.0, len(hours))
    spike = wavy(100)
    spike[24 * 50 : 24 * 53] *= 1000.0  # three days do not make a level
    pv = np.maximum(0.0, np.sin(hours * np.pi / 12)) * np.linspace(1.0, 5.0, len(hours))
    commissioned = np.where(hours < 24 * 50, 0.0, wavy(100))
    short = wavy(10) * np.where(np.arange(240) < 120, 1.0, 1000.0)
    for row in (season, spike, pv, commissioned, short, np.full(2400, NAN)):
        assert inspect(panel(row)).series[0].jumps == ()


def test_notes_come_first() -> None:
    assert inspect(panel([1.0]), notes=("f: sorted",)).lines()[0] == "f: sorted"


def test_all_findings_are_said() -> None:
    row = wavy(100)
    row[24 * 60 :] *= 1000.0
    row[:200] = 5.0
    said = "\n".join(inspect(panel(row)).lines())
    assert "a: stuck for 200 steps (200h) from 2024-01-01T00:00:00Z" in said
    assert "a: level changes by the factor 1e+03 at 2024-03-01T00:00:00Z" in said


def test_every_stand_still_counts_and_those_at_zero_are_named() -> None:
    row = wavy(30)
    row[10:40], row[100:130], row[200:210], row[300:350] = 0.0, 0.0, 0.0, 3.0
    report = inspect(panel(row), QualityPolicy(flatline=timedelta(days=1)))
    found = report.series[0]
    assert (found.flat_runs, found.flat_steps, found.zero_steps) == (3, 50, 60)
    said = report.lines()
    assert "a: stuck for 50 steps (50h) from 2024-01-13T12:00:00Z, the longest of 3 times" in said
    assert "a: stuck at zero for 60 steps (60h) in all" in said
