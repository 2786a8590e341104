import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from frugal_ai.leaderboard.render import ladder_table, leaderboard_tables
from frugal_ai.report import RunReport

QUANTILES = {
    "pinball": 251.234, "npinball": 0.005011, "crps": 512.3, "coverage": 0.79912,
    "coverage_ci": (0.7712, 0.8211), "coverage_nominal": 0.8, "sharpness": 2210.4,
}  # fmt: skip
FIGURES = ("251.2", "0.50", "512.3", "80", "79.9 [77.1, 82.1]", "2,210")


@pytest.fixture
def with_quantiles(report: RunReport) -> RunReport:
    """All rungs but the first have quantiles."""
    rungs = [rung.model_copy(update=QUANTILES) for rung in report.rungs[1:]]
    return report.model_copy(update={"rungs": (report.rungs[0], *rungs)})


def printed(what: object, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(what)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_quantiles_have_a_table_of_their_own(with_quantiles: RunReport, width: int) -> None:
    boards = leaderboard_tables(with_quantiles.rows())
    for text in (
        printed(ladder_table(with_quantiles), width),
        "".join(printed(board, width) for board in boards),
    ):
        assert all(cell_len(line) <= width for line in text.splitlines())
        assert "…" not in text
        for figure in FIGURES:
            assert figure in text, figure
        assert "MAE" in text.split("pinball")[0]  # the table of the accuracy comes first


def test_a_terminal_of_a_hundred_columns_has_them_in_one_line(with_quantiles: RunReport) -> None:
    text = printed(ladder_table(with_quantiles), 100)
    assert any(all(figure in line for figure in FIGURES) for line in text.splitlines())
    (naive,) = [line for line in text.splitlines() if line.split()[1:3] == ["-", "-"]]
    assert naive.split() == ["persistence", *"------"]
    assert "coverage: share of the observations inside the central interval" in text


def test_without_quantiles_nothing_is_said_of_them(report: RunReport) -> None:
    text = printed(ladder_table(report), 100)
    assert "pinball" not in text
    assert "coverage" not in text
