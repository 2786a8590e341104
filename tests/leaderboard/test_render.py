import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from frugal_ai.leaderboard.columns import Column, layout, pack
from frugal_ai.leaderboard.render import ladder_table, leaderboard_tables
from frugal_ai.report import RungRow, RunReport

WIDTHS = (60, 80, 100, 140)


def printed(what: object, width: int, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    Console(file=file, width=width).print(what)
    file.flush()
    return raw.getvalue().decode(encoding)


def board(rows: list[RungRow], width: int) -> str:
    return "".join(printed(one, width) for one in leaderboard_tables(rows))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_ladder_shows_every_figure_whole(report: RunReport, width: int) -> None:
    text = printed(ladder_table(report), width)
    assert "…" not in text
    assert all(cell_len(line) <= width for line in text.splitlines())
    for row in report.rows():
        assert row.rung in text
    for figure in (
        "803.2", "50.0 [47.4, 52.5]", "0.312", "0.461", "25.8", "6.10", "11.3 [8.0, 14.0]",
        "-162 [-171, -153]", "1.43 [-0.60, 3.30]", "2,642", "worth it", "not proven", "baseline",
    ):  # fmt: skip
        assert figure in text, figure


def test_a_wide_terminal_has_one_line_a_rung(report: RunReport) -> None:
    lines = printed(ladder_table(report), 140).splitlines()
    (best,) = [line for line in lines if "basis_ridge" in line]
    assert best.startswith("* basis_ridge ")
    assert best.endswith("worth it")
    assert "25.8" in best


def test_the_chosen_rung_alone_is_marked(report: RunReport) -> None:
    for width in WIDTHS:
        lines = printed(ladder_table(report), width).splitlines()
        marked = {line.split()[1] for line in lines if re.match(r"\* [a-z_]+ ", line)}
        assert marked - {"chosen."} == {"basis_ridge"}


def test_the_ladder_keeps_the_order_of_the_pipeline(report: RunReport) -> None:
    lines = printed(ladder_table(report), 140).splitlines()
    names = [line[2:].split()[0] for line in lines[3:12]]
    assert names == [rung.rung for rung in report.rungs]


def test_a_split_table_repeats_the_rungs(report: RunReport) -> None:
    lines = printed(ladder_table(report), 80).splitlines()
    assert len([line for line in lines if line.startswith("* basis_ridge")]) >= 2


def test_a_terminal_without_greek_gets_latin(report: RunReport) -> None:
    assert "ugCO2e" in printed(ladder_table(report), 140, "ascii")
    assert "µgCO2e" in printed(ladder_table(report), 140)


def test_the_ladder_says_what_its_figures_hold_for(report: RunReport) -> None:
    text = " ".join(printed(ladder_table(report), 80).split())
    assert "SIMULATED DATA; 364 test origins; Example CPU 2.1 GHz, 4 W/thread assumed" in text
    assert "estimated: CPU-time model (within a factor of 2.5, the same for all rungs)" in text


def test_an_interrupted_run_has_a_table_too(report: RunReport) -> None:
    unknown = {"mae": None, "skill": None, "verdict": None, "gain": None, "chosen": False}
    rungs = tuple(rung.model_copy(update=unknown) for rung in report.rungs[:2])
    cut = report.model_copy(update={"rungs": rungs, "chosen": None})
    lines = printed(ladder_table(cut), 140).splitlines()
    assert lines[3].split() == ["persistence", "-", "-", *lines[3].split()[3:7], "-", "-"]
    assert "rung" in printed(ladder_table(cut.model_copy(update={"rungs": ()})), 80)


def test_markup_in_a_name_is_text(report: RunReport) -> None:
    rungs = (report.rungs[0].model_copy(update={"rung": "[red]x[/red]"}),)
    assert "[red]x[/red]" in printed(
        ladder_table(report.model_copy(update={"rungs": rungs, "chosen": None})), 140
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_leaderboard_shows_every_figure_whole(rows: list[RungRow], width: int) -> None:
    text = board(rows, width)
    assert "…" not in text
    for figure in ("803.2", "50.0 [47.4, 52.5]", "25.8", "6.10", "worth it", "2026-11-20"):
        assert figure in text, figure


def test_a_leaderboard_keeps_hardware_apart_and_says_so(rows: list[RungRow]) -> None:
    other = [row.model_copy(update={"hardware": "Another CPU"}) for row in rows]
    text = board([*rows, *other], 140)
    assert text.count("* basis_ridge") == 2
    assert "Another CPU" in text
    assert "Tables are not to be compared with each other" in text
    assert "not to be compared" not in board(rows, 140)


def test_an_empty_leaderboard_says_so() -> None:
    assert board([], 80) == "no run has been logged\n"


def test_columns_are_as_wide_as_their_widest_cell(rows: list[RungRow]) -> None:
    columns: list[Column[RungRow]] = [
        Column("a\nb", lambda row: row.rung, left=True),
        Column("x", lambda _: "電力"),
    ]
    lines = layout(columns, rows[:1])
    assert lines == ["a", "b               x", "-----------  ----", "persistence  電力"]


def test_a_table_is_split_only_where_it_must(rows: list[RungRow]) -> None:
    columns: list[Column[RungRow]] = [
        Column("rung", lambda row: row.rung),
        Column("mae", lambda row: str(row.mae)),
        Column("grams", lambda row: str(row.co2e_g), cost=True),
    ]
    assert pack(columns, rows, 200) == [columns]
    assert pack(columns, rows, 40) == [columns[:2], [columns[0], columns[2]]]
    assert pack(columns, rows, 1) == [columns[:2], [columns[0], columns[2]]]
    assert pack(columns[:2], rows, 1) == [columns[:2]]


@pytest.mark.parametrize(
    ("weather", "said", "not_said"),
    [
        ("perfect", "perfect weather; ", "as known"),
        ("as_known", "weather as known at the origin; ", "perfect"),
        ("none", "SIMULATED DATA; ", "weather"),
        (None, "SIMULATED DATA; ", "weather"),
    ],
)
def test_tables_say_how_the_weather_was_known(
    report: RunReport, weather: str | None, said: str, not_said: str
) -> None:
    told = report.model_copy(update={"weather": weather})
    for text in (printed(ladder_table(told), 200), board(told.rows(), 200)):
        assert said in text
        assert not_said not in text


def test_perfect_weather_and_weather_as_known_stand_in_tables_of_their_own(
    report: RunReport,
) -> None:
    rows = [
        row
        for weather in ("perfect", "as_known")
        for row in report.model_copy(update={"weather": weather}).rows()
    ]
    text = board(rows, 200)
    assert text.count("perfect weather; ") == text.count("weather as known at the origin; ") == 1
    assert "not to be compared with each other: targets, weather, " in text
