from collections.abc import Callable, Sequence
from typing import Any

import pytest

from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import group_up
from frugal_ai.board.ranking import Board, ordered, rank
from frugal_ai.report import LeadReport, RungRow

Make = Callable[..., Entry]


def board_of(entries: Sequence[Entry], **asked: Any) -> Board:
    (group,) = group_up(entries)
    return rank(group, Filters(**asked))


def ranks(board: Board, name: str) -> dict[str, Any]:
    return {one.entry.row.rung: getattr(one, name) for one in board.rows}


def test_costs_too_close_to_tell_apart_share_a_rank(rows: list[RungRow], entry_of: Make) -> None:
    near = {"co2e_g_per_1000": 0.0, "co2e_spread": 0.1}
    board = board_of([
        entry_of(rows[0], rung="a", co2e_g=1.0, **near),
        entry_of(rows[1], rung="b", co2e_g=1.1, **near),
        entry_of(rows[2], rung="c", co2e_g=2.0, **near),
    ])  # fmt: skip
    assert ranks(board, "energy_rank") == {"a": 1, "b": 1, "c": 3}
    assert ranks(board, "energy_tied") == {"a": True, "b": True, "c": False}


def test_errors_whose_intervals_overlap_share_a_rank_unless_the_run_proved_the_gain(
    rows: list[RungRow], entry_of: Make
) -> None:
    good = {"mae": 1.0, "mae_ci": (0.9, 1.1), "verdict": "not proven", "over": "b"}
    bad = {"mae": 1.05, "mae_ci": (0.95, 1.15)}
    tied = board_of([entry_of(rows[0], rung="a", **good), entry_of(rows[1], rung="b", **bad)])
    assert ranks(tied, "error_rank") == {"a": 1, "b": 1}
    proven = good | {"verdict": "worth it"}
    told = board_of([entry_of(rows[0], rung="a", **proven), entry_of(rows[1], rung="b", **bad)])
    assert ranks(told, "error_rank") == {"a": 1, "b": 2}


@pytest.mark.parametrize("metric", ["rmse", "nmae", "mase", "pinball", "crps"])
def test_each_metric_has_the_interval_that_its_run_told_or_none(
    rows: list[RungRow], entry_of: Make, metric: str
) -> None:
    told = {metric: 1.0, f"{metric}_ci": (0.9, 1.2)}
    older = {metric: 1.3, f"{metric}_ci": None}
    board = board_of(
        [entry_of(rows[0], rung="a", **told), entry_of(rows[1], rung="b", **older)], metric=metric
    )
    assert ranks(board, "error") == {"a": 1.0, "b": 1.3}
    assert ranks(board, "error_ci") == {"a": (0.9, 1.2), "b": None}


def test_of_lead_times_the_error_is_theirs_and_no_proof_of_the_whole_counts(
    rows: list[RungRow], entry_of: Make
) -> None:
    def part(mae: float, low: float, high: float) -> tuple[LeadReport, ...]:
        return (LeadReport(from_s=0, to_s=3600, mae=mae, mae_ci=(low, high), points=9),)

    good = {"mae": 1.0, "verdict": "worth it", "over": "b"}
    entries = [
        entry_of(rows[0], rung="a", mae_by_lead=part(0.5, 0.4, 0.6), **good),
        entry_of(rows[1], rung="b", mae_by_lead=part(0.3, 0.2, 0.45), mae=2.0),
        entry_of(rows[2], rung="older", mae=0.1),
    ]
    board = board_of(entries, lead=(0, 3600))
    assert ranks(board, "error") == {"a": 0.5, "b": 0.3, "older": None}
    assert ranks(board, "error_ci") == {"a": (0.4, 0.6), "b": (0.2, 0.45), "older": None}
    assert ranks(board, "error_rank") == {"a": 1, "b": 1, "older": None}
    assert not ranks(board, "on_front")["older"]
    other = board_of(entries, lead=(0, 7200))
    assert set(ranks(other, "error").values()) == {None}


def test_a_spoilt_tag_of_lead_times_is_told_and_tells_no_error(
    rows: list[RungRow], entry_of: Make, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = entry_of(rows[0], leads='[{"from_s": 0}]')
    assert spoilt.mae_by_lead == ()
    assert "frugal.mae_by_lead is left out: Field required" in caplog.text


def test_emissions_of_two_grids_are_computed_from_energy_under_the_latest(
    rows: list[RungRow], entry_of: Make
) -> None:
    own = {"energy_wh": 0.002, "co2e_g": 2e-6 * 50, "intensity_g_per_kwh": 50.0, "pue": 1.0,
           "co2e_g_per_1000": 1e-5}  # fmt: skip
    other = {"energy_wh": 0.003, "co2e_g": 3e-6 * 500, "intensity_g_per_kwh": 500.0, "pue": 1.5,
             "co2e_g_per_1000": 3e-4, "country": "DEU", "run_id": "earlier"}  # fmt: skip
    latest, earlier = entry_of(rows[0], rung="a", **own), entry_of(
        rows[1], rung="b", **other, ended=rows[0].ended.replace(year=2020)
    )  # fmt: skip
    board = board_of([latest, earlier])
    found = {one.entry.row.rung: one for one in board.rows}
    assert (board.stated.intensity, board.stated.own) == (50.0, False)
    assert found["a"].training_g == own["co2e_g"]
    # 3 mWh at the site are 2 mWh at the machine
    assert found["b"].training_g == pytest.approx(2e-6 * 50)
    assert found["b"].use_g == pytest.approx(3e-4 / 500 / 1.5 * 50)


@pytest.mark.parametrize("intensity", [1, 56, 381, 9000])
def test_the_order_hangs_on_energy_not_on_the_grid(
    rows: list[RungRow], entry_of: Make, intensity: int
) -> None:
    entries = [entry_of(row) for row in rows]
    usual, stated = board_of(entries), board_of(entries, intensity=float(intensity))
    assert ranks(usual, "energy_rank") == ranks(stated, "energy_rank")
    for one, other in zip(usual.rows, stated.rows, strict=True):
        if one.grams and other.grams:
            ratio = intensity / one.entry.row.intensity_g_per_kwh
            assert other.grams == pytest.approx(
                one.grams * ratio, rel=1e-4
            )  # the example is rounded


def test_a_fleet_counts_by_what_hangs_on_the_model(rows: list[RungRow], entry_of: Make) -> None:
    board = board_of([entry_of(rows[0], fleet="f", life_cycle_g=12.0)])
    assert board.rows[0].grams == 12.0
    training = board_of([entry_of(rows[0], fleet="f", life_cycle_g=12.0)], scope="training")
    assert training.rows[0].grams == rows[0].co2e_g


def test_the_gain_for_each_gram_is_over_the_model_of_the_same_run(
    rows: list[RungRow], entry_of: Make
) -> None:
    plain = {"co2e_g_per_1000": 0.0}
    board = board_of([
        entry_of(rows[0], rung="a", co2e_g=1.0, **plain),
        entry_of(rows[1], rung="b", co2e_g=3.0, gain=0.5, over="a", **plain),
        entry_of(rows[2], rung="c", co2e_g=0.5, gain=-0.5, over="a", **plain),
        entry_of(rows[3], rung="d", co2e_g=9.0, gain=0.5, over="a", run_id="another", **plain),
    ])  # fmt: skip
    assert ranks(board, "gain_per_g") == {"a": None, "b": 0.25, "c": None, "d": None}


@pytest.mark.parametrize("descending", [False, True])
def test_what_is_not_known_comes_last_either_way(
    rows: list[RungRow], entry_of: Make, *, descending: bool
) -> None:
    board = board_of([entry_of(rows[0], rung="none", bytes=None), *map(entry_of, rows)])
    asked = Filters(sort="bytes", descending=descending)
    sizes = [one.entry.row.bytes for one in ordered(board.rows, asked)]
    assert sizes[-1] is None
    known = [one for one in sizes if one is not None]
    assert known == sorted(known, reverse=descending)
