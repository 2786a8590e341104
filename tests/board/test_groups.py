from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import group_up, shown, wanted
from frugal_ai.board.ranking import rank
from frugal_ai.report import RungRow

Make = Callable[..., Entry]


@pytest.mark.parametrize(
    "other",
    [
        {"hardware": "another CPU"},
        {"energy_method": "rapl"},
        {"targets_digest": "ef" * 32},
        {"pipeline": "wind"},
        {"forecasts": 10},
        {"simulated": False},
        {"weather": "perfect"},
        {"fleet": "a fleet"},
        {"origins_test": 3},
    ],
)
def test_what_may_not_be_compared_is_never_pooled(
    rows: list[RungRow], entry_of: Make, other: dict[str, Any]
) -> None:
    found = group_up([*map(entry_of, rows), entry_of(rows[0], **other)])
    assert sorted(len(one.entries) for one in found) == [1, len(rows)]


@pytest.mark.parametrize("other", [{"intensity_g_per_kwh": 21.7}, {"country": "DEU"}, {"pue": 1.5}])
def test_grids_are_pooled_under_one_that_is_stated_but_never_those_of_a_fleet(
    rows: list[RungRow], entry_of: Make, other: dict[str, Any]
) -> None:
    (together,) = group_up([*map(entry_of, rows), entry_of(rows[0], run_id="other", **other)])
    assert not rank(together, Filters(runs="all")).stated.own
    fleet = {"fleet": "a fleet", "life_cycle_g": 1.0}
    apart = group_up([entry_of(rows[0], **fleet), entry_of(rows[1], **fleet, **other)])
    assert len(apart) == 2


def test_a_later_run_that_was_cut_off_does_not_undo_a_choice(
    rows: list[RungRow], entry_of: Make
) -> None:
    chosen = next(row for row in rows if row.chosen)
    later = {"run_id": "later", "chosen": False, "ended": chosen.ended + timedelta(days=1)}
    cut = [entry_of(row, {"interrupted": True}, **later) for row in rows]
    (group,) = group_up([*map(entry_of, rows), *cut])
    assert group.choice is not None
    assert group.choice.row.run_id == chosen.run_id
    kept = shown(group, Filters())
    assert group.choice in kept
    assert sorted(one.row.rung for one in kept) == sorted(row.rung for row in rows)
    assert rank(group, Filters()).recommended is not None


def test_the_latest_choice_is_the_recommended_one(rows: list[RungRow], entry_of: Make) -> None:
    naive = next(row for row in rows if row.family == "naive")
    later = {"run_id": "later", "ended": naive.ended + timedelta(days=1)}
    changed = [entry_of(row, **later, chosen=row is naive) for row in rows]
    (group,) = group_up([*map(entry_of, rows), *changed])
    board = rank(group, Filters())
    assert board.recommended is not None
    assert board.recommended.entry.row.rung == naive.rung
    assert len(board.rows) == len(rows)


def test_measured_only_leaves_out_what_is_estimated(rows: list[RungRow], entry_of: Make) -> None:
    groups = group_up([entry_of(rows[0]), entry_of(rows[0], energy_method="rapl")])
    (kept,) = wanted(groups, Filters(estimated=False))
    assert kept.key.energy_method == "rapl"


def test_a_comparison_that_does_not_fit_any_more_gives_way(
    rows: list[RungRow], entry_of: Make
) -> None:
    groups = group_up([entry_of(rows[0]), entry_of(rows[0], pipeline="wind")])
    short = groups[0].key.short
    assert wanted(groups, Filters(group=short)) == [groups[0]]
    other = groups[1].key.pipeline
    assert wanted(groups, Filters(group=short, pipeline=other)) == [groups[1]]


def test_series_and_horizon_are_found_by_their_runs(rows: list[RungRow], entry_of: Make) -> None:
    groups = group_up([entry_of(rows[0])])
    assert wanted(groups, Filters(series="feeder", horizon=86400))
    assert not wanted(groups, Filters(series="another"))
    assert not wanted(groups, Filters(horizon=3600))
