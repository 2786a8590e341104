import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frugal_ai.board.axis import Axis, linear_axis, log_axis
from frugal_ai.board.entries import Entry
from frugal_ai.board.exports import board_svg
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import group_up
from frugal_ai.board.links import Live
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
        found.append((text, Box(x, y - 9, x + 6 * len(text), y)))
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


places = st.lists(
    st.tuples(st.floats(-7, 1), st.floats(0.2, 30), st.integers(3, 22)), min_size=1, max_size=40
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=places, chosen=st.integers(-1, 3))
def test_no_name_covers_a_point_the_front_or_another_name(
    rows: list[RungRow], entry_of: Make, found: list[tuple[float, float, int]], chosen: int
) -> None:
    entries = [
        entry_of(
            rows[0], rung=f"{index:02}".ljust(letters, "x"), mae=mae,
            mae_ci=(0.9 * mae, 1.2 * mae), co2e_g=10**power, co2e_g_per_1000=0.0,
            chosen=index == chosen,
        )
        for index, (power, mae, letters) in enumerate(found)
    ]  # fmt: skip
    svg = picture(board_of(entries))
    texts = names(svg)
    at = [middle(one) for one in points(svg).values()]
    front = segments(svg)
    assert len(front) % 2 == 1
    for index, (_, box) in enumerate(texts):
        assert not any(box.overlap(other) for _, other in texts[:index])
        assert not any(box.gap(x, y) < 5 for x, y in at)
        assert not any(box.overlap(one) for one in front)
        assert box.left >= 62
        assert box.right <= 748


def middle(point: ET.Element) -> tuple[float, float]:
    (path,) = point
    left, top = path.get("d", "")[1:].split("m")[0].split()
    return float(left), float(top)


def segments(svg: ET.Element) -> list[Box]:
    """The steps of the front, as thick as they are drawn."""
    (path,) = (one.get("d", "") for one in svg if one.get("class") == "front")
    x, y = map(float, path[1 : re.search("[HV]", path).start()].split())  # type: ignore[union-attr]  # it has one
    boxes = []
    for axis, value in re.findall(r"([HV])([\d.]+)", path):
        to_x, to_y = (float(value), y) if axis == "H" else (x, float(value))
        boxes.append(
            Box(min(x, to_x) - 0.7, min(y, to_y) - 0.7, max(x, to_x) + 0.7, max(y, to_y) + 0.7)
        )
        x, y = to_x, to_y
    return boxes


def test_a_few_points_are_all_named(rows: list[RungRow], entry_of: Make) -> None:
    entries = [entry_of(row) for row in rows]
    assert {text for text, _ in names(picture(board_of(entries)))} == {row.rung for row in rows}


def test_a_picture_that_stands_alone_has_its_title_and_warnings(
    rows: list[RungRow], entry_of: Make
) -> None:
    entries = [entry_of(row, weather="perfect", simulated=True) for row in rows]
    svg = ET.fromstring(board_svg(board_of(entries), Filters(), words("en"), Live()))  # noqa: S314 - of our own making
    said = [one.text for one in svg.iter(f"{SVG}text")]
    assert said[:2] == ["Load of a feeder", "Simulated data · Perfect weather"]
    real = [entry_of(row, weather="as_known", simulated=False) for row in rows]
    svg = ET.fromstring(board_svg(board_of(real), Filters(), words("en"), Live()))  # noqa: S314 - as above
    assert not [one for one in svg.iter(f"{SVG}text") if one.get("class") == "flag"]


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
