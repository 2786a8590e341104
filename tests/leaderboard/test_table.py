from datetime import timedelta
from typing import Any

import pytest

from frugal_ai.leaderboard.table import boards, latest
from frugal_ai.report import RungRow


def later(row: RungRow, days: int, **changes: Any) -> RungRow:
    ended = row.ended + timedelta(days=days)
    return row.model_copy(update={"ended": ended, "run_id": f"run-{days}", **changes})


def test_the_smallest_error_comes_first_and_the_unknown_last(rows: list[RungRow]) -> None:
    cut = rows[0].model_copy(update={"rung": "cut", "mae": None})
    (board,) = boards([cut, *rows])
    errors = [row.mae for row in board.rows]
    assert errors[-1] is None
    assert errors[:-1] == sorted(row.mae for row in rows if row.mae is not None)


def test_of_equal_errors_the_cheaper_rung_comes_first(rows: list[RungRow]) -> None:
    dear = rows[5].model_copy(update={"rung": "a_dear_one", "co2e_g": 1.0})
    (board,) = boards([dear, rows[5]])
    assert [row.rung for row in board.rows] == ["basis_ridge", "a_dear_one"]


@pytest.mark.parametrize(
    "other",
    [
        {"hardware": "another CPU"},
        {"intensity_g_per_kwh": 21.7},
        {"country": "DEU"},
        {"pue": 1.5},
        {"energy_method": "rapl"},
        {"targets_digest": "ef" * 32},
        {"pipeline": "wind"},
        {"forecasts": 10},
        {"simulated": False},
        {"weather": "perfect"},
        {"weather": "as_known"},
    ],
)
def test_what_may_not_be_compared_is_never_pooled(
    rows: list[RungRow], other: dict[str, Any]
) -> None:
    foreign = rows[0].model_copy(update=other)
    found = boards([*rows, foreign])
    assert sorted(len(board.rows) for board in found) == [1, 9]
    assert all(row.circumstances == board.circumstances for board in found for row in board.rows)


def test_boards_come_by_pipeline_and_the_newest_first(rows: list[RungRow]) -> None:
    newer = later(rows[0], 1, hardware="new CPU")
    wind = later(rows[0], 9, pipeline="wind")
    found = [board.circumstances for board in boards([wind, *rows, newer])]
    assert [one.pipeline for one in found] == ["load", "load", "wind"]
    assert found[0].hardware == "new CPU"


def test_the_latest_run_of_a_rung_stands(rows: list[RungRow]) -> None:
    again = [later(row, 1, mae=1.0) for row in rows[4:6]]
    kept = {row.rung: row.mae for row in latest([*again, *rows])}
    assert len(kept) == 9
    assert (kept["ridge"], kept["basis_ridge"], kept["boosting"]) == (1.0, 1.0, 842.66)


def test_of_several_choices_the_latest_alone_is_marked(rows: list[RungRow]) -> None:
    again = later(rows[4], 1, chosen=True)
    assert [row.rung for row in latest([*rows, again]) if row.chosen] == ["ridge"]
    assert [row.rung for row in latest(rows) if row.chosen] == ["basis_ridge"]
    nothing = [row.model_copy(update={"chosen": False}) for row in rows]
    assert not any(row.chosen for row in latest(nothing))


def test_nothing_makes_no_board() -> None:
    assert boards([]) == []
