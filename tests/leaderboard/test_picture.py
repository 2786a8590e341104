import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.text import Annotation

from frugal_ai.drawing import style
from frugal_ai.leaderboard.picture import _power, draw, pareto_svg, svg
from frugal_ai.report import RungRow, RunReport

TAG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    root = ET.fromstring(picture)  # noqa: S314 - drawn here
    return ["".join(node.itertext()).strip() for node in root.iter(f"{TAG}text")]


def test_every_rung_is_named_with_its_error(report: RunReport) -> None:
    found = texts(pareto_svg(report))
    for rung in report.rungs:
        assert any(text.startswith(f"{rung.rung} (") for text in found)
    assert "basis_ridge (803.2)" in found


def test_axes_have_units_and_the_method_is_told(report: RunReport) -> None:
    found = texts(pareto_svg(report))
    assert "MAE on the test origins [MW]" in found
    assert "CO2e of training and 1,000 forecasts [gCO2e]" in found
    method = "estimated: CPU-time model (within a factor of 2.5, the same for all rungs)"
    assert method in found
    assert "Load of a feeder" in found


def test_simulated_data_are_stamped(report: RunReport) -> None:
    assert "simulated data" in texts(pareto_svg(report))
    real = report.model_copy(update={"simulated": False})
    assert "simulated data" not in texts(pareto_svg(real))


def test_perfect_weather_is_stamped_and_nothing_else_is(report: RunReport) -> None:
    perfect = report.model_copy(update={"weather": "perfect"})
    assert "simulated data, perfect weather" in texts(pareto_svg(perfect))
    real = perfect.model_copy(update={"simulated": False})
    assert "perfect weather" in texts(pareto_svg(real))
    for weather in ("as_known", "none", None):
        other = report.model_copy(update={"weather": weather})
        assert not any("weather" in text for text in texts(pareto_svg(other)))


def test_the_picture_is_small_and_the_same_every_time(report: RunReport) -> None:
    first = pareto_svg(report)
    assert len(first.encode()) <= 60_000
    assert pareto_svg(report) == first
    assert "2026" not in first


def test_another_process_draws_the_same_bytes(report: RunReport, tmp_path: Path) -> None:
    rc = tmp_path / "matplotlibrc"
    rc.write_text("font.size: 30\nlines.linewidth: 9\n")
    code = (
        "import sys; from pathlib import Path; from frugal_ai.report import RunReport; "
        "from frugal_ai.leaderboard.picture import pareto_svg; "
        "sys.stdout.buffer.write(pareto_svg(RunReport.read(Path(sys.argv[1]))).encode())"
    )
    folder = str(Path(__file__).parents[1] / "report")
    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, check=True, cwd=tmp_path
    )
    assert done.stdout.decode() == pareto_svg(report)


def test_names_cover_neither_each_other_nor_the_points(rows: list[RungRow]) -> None:
    with style():
        drawn = draw(rows, "x")
        names = [text for text in drawn.axes[0].texts if isinstance(text, Annotation)]
        boxes = [name.get_window_extent() for name in names]
        places = [
            drawn.axes[0].transData.transform((row.life_g or 0, row.mae or 0)) for row in rows
        ]
    assert len(boxes) == len(rows)
    for index, box in enumerate(boxes):
        assert not any(box.shrunk(0.98, 0.9).overlaps(other) for other in boxes[:index])
        assert not any(box.contains(x, y) for x, y in places)


def test_the_front_steps_down_from_the_cheapest_to_the_best(rows: list[RungRow]) -> None:
    with style():
        drawn = draw(rows, "x")
    (line,) = [one for one in drawn.axes[0].lines if one.get_label() == "Pareto front"]
    errors = np.asarray(line.get_ydata(), dtype=np.float64).tolist()
    assert line.get_drawstyle() == "steps-post"
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 779.9
    assert 842.66 not in errors


@pytest.mark.parametrize(("method", "hollow"), [("cpu_time_model", True), ("rapl", False)])
def test_estimated_points_are_hollow(rows: list[RungRow], method: str, hollow: bool) -> None:
    some = [row.model_copy(update={"energy_method": method}) for row in rows]
    with style():
        lines = draw(some, "x").axes[0].lines
    fills = {one.get_markerfacecolor() for one in lines if one.get_markersize() == 7}
    assert (fills == {"white"}) is hollow


def test_errors_of_one_size_get_a_linear_axis(rows: list[RungRow]) -> None:
    with style():
        assert draw(rows, "x").axes[0].get_yscale() == "log"
        assert draw(rows[4:], "x").axes[0].get_yscale() == "linear"


def test_what_has_no_place_is_named_below(rows: list[RungRow]) -> None:
    cut = rows[0].model_copy(update={"rung": "cut", "mae": None})
    free = rows[0].model_copy(update={"rung": "free", "co2e_g": 0.0, "co2e_g_per_1000": 0.0})
    assert "no error or cost known: cut, free" in texts(svg([cut, free, *rows], "x"))


def test_a_run_without_any_point_still_has_a_picture(rows: list[RungRow]) -> None:
    cut = rows[0].model_copy(update={"mae": None})
    assert "no rung has an error and a cost" in texts(svg([cut], "x"))
    assert "no rung has an error and a cost" in texts(svg([], "x"))


def test_one_rung_alone_and_equal_ones_can_be_drawn(rows: list[RungRow]) -> None:
    assert "ridge (921.4)" in texts(svg(rows[4:5], "x"))
    twin = rows[4].model_copy(update={"rung": "twin"})
    assert "twin (921.4)" in texts(svg([rows[4], twin], "x"))


def test_names_and_titles_are_text_not_markup(rows: list[RungRow]) -> None:
    odd = rows[4].model_copy(update={"rung": "<script>$x_1$&", "unit": "$"})
    found = texts(svg([odd], "50 % of $a$ & <b>"))
    assert "<script>$x_1$& (921.4)" in found
    assert "50 % of $a$ & <b>" in found


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1e-6, "10⁻⁶"), (2e-5, "2\u00d710⁻⁵"), (1.0, "10⁰"), (5e12, "5\u00d710¹²")],
)
def test_ticks_are_powers_of_ten(value: float, expected: str) -> None:
    assert _power(value) == expected


@pytest.mark.parametrize("length", [5, 30, 38, 60])
def test_a_long_title_and_its_warnings_do_not_cover_each_other(
    rows: list[RungRow], length: int
) -> None:
    told = [row.model_copy(update={"weather": "perfect"}) for row in rows]
    with style():
        axes = draw(told, "W" * length if length < 10 else "a day ahead " * (length // 12)).axes[0]
        left, right = (getattr(axes, name) for name in ("_left_title", "_right_title"))
        boxes = [text.get_window_extent() for text in (left, right)]
    assert right.get_text() == "simulated data, perfect weather"
    lines = left.get_text().count("\n")
    assert lines == 1 or not boxes[0].overlaps(boxes[1])
