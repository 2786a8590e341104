import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from frugal_ai.board.axis import Axis, linear_axis, log_axis
from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import group_up
from frugal_ai.board.ranking import Board, rank
from frugal_ai.board.scatter import drawn, scatter
from frugal_ai.board.words import words
from frugal_ai.leaderboard.labels import Box
from frugal_ai.report import RungRow

Make = Callable[..., Entry]
SVG = "{http://www.w3.org/2000/svg}"


def board_of(entries: list[Entry], **asked: Any) -> Board:
    (group,) = group_up(entries)
    return rank(group, Filters(**asked))


def picture(board: Board, **asked: Any) -> ET.Element:
    text = scatter(board, Filters(**asked), words("en"), lambda one: f"#{one.entry.row.rung}")
    return ET.fromstring(text)  # noqa: S314 - of our own making


def points(svg: ET.Element) -> dict[str, ET.Element]:
    return {one.get("href", "")[1:]: one for one in svg.iter(f"{SVG}a")}


def test_every_model_is_a_point_that_leads_to_its_row(rows: list[RungRow], entry_of: Make) -> None:
    svg = picture(board_of([*map(entry_of, rows)]))
    assert points(svg).keys() == {row.rung for row in rows}
    assert all("CO2e" in one.get("aria-label", "") for one in points(svg).values())


def test_what_is_estimated_is_hollow(rows: list[RungRow], entry_of: Make) -> None:
    estimated = picture(board_of([*map(entry_of, rows)]))
    assert all("est" in one.get("class", "").split() for one in points(estimated).values())
    measured = picture(board_of([entry_of(row, energy_method="rapl") for row in rows]))
    assert not any("est" in one.get("class", "").split() for one in points(measured).values())


def test_bars_are_two_way_and_the_front_is_a_staircase(rows: list[RungRow], entry_of: Make) -> None:
    svg = picture(board_of([entry_of(row, co2e_spread=0.1) for row in rows]))
    paths: dict[str | None, str] = {}
    for one in svg.iter(f"{SVG}path"):
        paths.setdefault(one.get("class"), one.get("d", ""))
    bars = "".join(path for name, path in paths.items() if name and name.startswith("bars"))
    assert bars.count("H") == len(rows)
    assert bars.count("V") == sum(row.mae_ci is not None for row in rows)
    assert re.fullmatch(r"M[\d. ]+(H[\d.]+V[\d.]+)*H[\d.]+", paths["front"])


def names(svg: ET.Element) -> list[tuple[str, Box]]:
    (group,) = (one for one in svg.iter(f"{SVG}g") if one.get("class") == "names")
    found = []
    for one in group:
        x, y, text = float(one.get("x", 0)), float(one.get("y", 0)), one.text or ""
        found.append((text, Box(x, y - 10, x + 6 * len(text), y)))
    return found


def test_names_do_not_touch_each_other(rows: list[RungRow], entry_of: Make) -> None:
    near = [
        entry_of(rows[0], rung=f"model_{index}", mae=1 + index / 50, co2e_g=1e-6 + index * 1e-7)
        for index in range(10)
    ]
    found = names(picture(board_of(near)))
    assert len(found) == 10
    for index, (_, box) in enumerate(found):
        assert not any(box.overlap(other) for _, other in found[index + 1 :])


def test_a_name_is_text_whatever_it_is(rows: list[RungRow], entry_of: Make) -> None:
    hostile = "\"><script>alert(1)</script><a b='"
    svg = picture(board_of([entry_of(rows[0], rung=hostile)]))
    assert not [one for one in svg.iter() if one.tag.endswith("script")]
    assert hostile in {text for text, _ in names(svg)}


def test_of_very_many_the_front_is_drawn(rows: list[RungRow], entry_of: Make) -> None:
    many = [
        entry_of(rows[0], rung=f"m{index}", mae=1 + (index * 37 % 400), co2e_g=1e-6 * (1 + index))
        for index in range(400)
    ]
    board = board_of(many)
    kept = drawn(board)
    assert len(kept) < 400
    assert {one.entry.id for one in board.rows if one.on_front} <= {one.entry.id for one in kept}


def test_nothing_is_drawn_of_nothing(rows: list[RungRow], entry_of: Make) -> None:
    board = board_of([entry_of(rows[0], mae=None)])
    assert scatter(board, Filters(), words("en"), lambda _: "#") == ""


@pytest.mark.parametrize("values", [[1e-6], [1e-6, 5.0], [3.0, 3.1], [1e-9, 1e9]])
def test_a_logarithmic_axis_has_room_and_round_ticks(values: list[float]) -> None:
    axis = log_axis(values, 0, 700, (0.05, 0.05))
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 13
    assert all(0 <= axis.at(value) <= 700 for value in (*values, *ticks))
    assert axis.at(min(values)) > 0
    assert axis.at(max(values)) < 700


@pytest.mark.parametrize("values", [[0.2], [0.1, 0.11], [5.0, 900.0]])
def test_a_linear_axis_has_a_handful_of_ticks(values: list[float]) -> None:
    axis = linear_axis(values, 300, 0, 0.1)
    assert 2 <= len(axis.ticks()) <= 7
    assert all(0 <= axis.at(value) <= 300 for value in values)


def test_what_lies_outside_stands_at_the_end() -> None:
    axis = Axis(1.0, 10.0, 0.0, 100.0, log=True)
    assert (axis.at(0.0), axis.at(99.0)) == (0.0, 100.0)
