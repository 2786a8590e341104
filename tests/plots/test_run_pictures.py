import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from frugal_ai.cli import commands, main
from frugal_ai.drawing import style
from frugal_ai.errors import DataError, OutputError, PipelineError
from frugal_ai.plots import forecast, lead_time, reliability, residuals
from frugal_ai.plots.pictures import MOST_SERIES, write_pictures
from frugal_ai.plots.subject import Subject
from frugal_ai.report import RunReport
from frugal_ai.report.forecasts import NAME, ForecastTable

Make = Callable[..., ForecastTable]
MakeSubject = Callable[..., Subject]
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = (forecast.draw, lead_time.draw, reliability.draw, residuals.draw)
FIVE = (0.05, 0.25, 0.5, 0.75, 0.95)
LONG = "Net load of every substation of a region with a long name, PV behind the meter included"


def quiet(_: str) -> None:
    """Hear nothing."""


def folder(path: Path, table: ForecastTable, report: RunReport, **changes: object) -> Path:
    path.mkdir(exist_ok=True)
    report.model_copy(update=changes).write(path)
    table.write(path)
    return path


@pytest.fixture
def run_dir(tmp_path: Path, make_table: Make, report: RunReport) -> Path:
    return folder(tmp_path / "run", make_table(), report)


def texts(picture: Path) -> list[str]:
    root = ET.parse(picture).getroot()  # noqa: S314 - drawn here
    return ["".join(node.itertext()).strip() for node in root.iter(f"{SVG}text")]


def test_a_run_of_one_series_has_four_pictures(run_dir: Path) -> None:
    paths = list(write_pictures(run_dir, tell=quiet))
    assert [path.name for path in paths] == [
        "forecast.svg",
        "error_by_lead_time.svg",
        "reliability.svg",
        "residuals_by_hour.svg",
    ]
    assert {path.parent for path in paths} == {run_dir / "plots"}
    assert sorted(run_dir.joinpath("plots").iterdir()) == sorted(paths)


def test_every_picture_says_what_it_is(run_dir: Path) -> None:
    for path in write_pictures(run_dir, tell=quiet):
        root = ET.parse(path).getroot()  # noqa: S314 - drawn here
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert title.text == f"Load of a feeder ({path.stem})"
        assert description is not None
        assert description.text is not None
        assert "rung basis_ridge, 28 test origins at 00:00, MAE 0." in description.text
        assert description.text.endswith("Simulated data.")
        assert path.stat().st_size < 60_000


def test_axes_have_units_and_the_week_and_days_are_named(run_dir: Path) -> None:
    list(write_pictures(run_dir, tell=quiet))
    days = texts(run_dir / "plots" / "forecast.svg")
    assert any(text.startswith("Week of median error, ") for text in days)
    for name in ("Worst day, ", "Second worst day, ", "Third worst day, "):
        assert any(text.startswith(name) for text in days)
    assert "Load [MW]" in days
    assert "Local time (Europe/Paris)" in days
    assert "10 to 90 %" in days
    leads = texts(run_dir / "plots" / "error_by_lead_time.svg")
    assert "MAE [MW]" in leads
    assert "Lead time, from the origin to the start of the interval [h]" in leads
    levels = texts(run_dir / "plots" / "reliability.svg")
    assert {"Nominal level [%]", "Lead time [h]"} <= set(levels)
    assert any("80\u00a0% interval covers " in text for text in levels)
    hours = texts(run_dir / "plots" / "residuals_by_hour.svg")
    assert "Forecast \u2212 actual [MW]" in hours
    assert "Hour of the local day (Europe/Paris)" in hours


@pytest.mark.parametrize(
    ("simulated", "weather", "said"),
    [
        (True, None, "simulated data"),
        (True, "perfect", "simulated data; perfect weather"),
        (False, "perfect", "perfect weather"),
        (False, "as_known", None),
    ],
)
def test_what_has_to_be_known_stands_on_every_picture(
    tmp_path: Path,
    make_table: Make,
    report: RunReport,
    simulated: bool,
    weather: str | None,
    said: str | None,
) -> None:
    run = folder(tmp_path, make_table(), report, simulated=simulated, weather=weather)
    for path in write_pictures(run, tell=quiet):
        cautions = [text for text in texts(path) if "simulated" in text or "perfect" in text]
        assert cautions == ([said] if said else [])


def test_many_series_have_a_picture_each_up_to_a_bound(
    tmp_path: Path, make_table: Make, report: RunReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_SERIES == 12
    monkeypatch.setattr("frugal_ai.plots.pictures.MOST_SERIES", 3)
    count = 5
    run = folder(tmp_path, make_table(series=count, days=8, steps=3), report)
    heard: list[str] = []
    paths = list(write_pictures(run, tell=heard.append))
    assert [path.name for path in paths[:-3]] == [f"forecast-zone_{i}.svg" for i in range(3)]
    assert heard == ["forecast: the first 3 of 5 series; all are in the averages"]
    assert any("series 2 of 5" in text for text in texts(paths[1]))
    assert any(text.endswith(": zone_1") for text in texts(paths[1]))
    for path in paths[-3:]:
        assert any("mean of 5 series" in text for text in texts(path))


def test_names_that_cannot_be_files_are_told_apart(
    tmp_path: Path, make_table: Make, report: RunReport
) -> None:
    table = make_table(series=3, days=8, steps=3)
    odd = ForecastTable(
        ("../a", ".. a", "b"), table.origins, table.step_s, table.actual, table.forecast,
        table.baseline, table.levels, table.quantiles,
    )  # fmt: skip
    paths = list(write_pictures(folder(tmp_path / "run", odd, report), tell=quiet))
    assert [path.name for path in paths[:3]] == [
        "forecast-.._a-1.svg",
        "forecast-.._a-2.svg",
        "forecast-b.svg",
    ]
    assert {path.parent for path in paths} == {tmp_path / "run" / "plots"}


def test_a_series_that_was_never_observed_is_refused(
    tmp_path: Path, make_table: Make, report: RunReport
) -> None:
    table = make_table(series=2, days=8)
    table.actual[0] = np.nan
    run = folder(tmp_path, table, report)
    with pytest.raises(DataError, match="are missing"):
        list(write_pictures(run, tell=quiet))


def test_without_quantiles_the_reliability_is_a_remark(
    tmp_path: Path, make_table: Make, report: RunReport
) -> None:
    run = folder(tmp_path, make_table(levels=()), report)
    heard: list[str] = []
    paths = {path.stem: path for path in write_pictures(run, tell=heard.append)}
    assert heard == ["reliability: no quantiles were forecast, there is nothing to check"]
    assert "no quantiles were forecast, there is nothing to check" in texts(paths["reliability"])
    assert not any("%" in text for text in texts(paths["forecast"]))


def test_few_origins_are_drawn_and_said(
    tmp_path: Path, make_table: Make, report: RunReport
) -> None:
    run = folder(tmp_path, make_table(days=2), report)
    paths = {path.stem: path for path in write_pictures(run, tell=quiet)}
    said = texts(paths["forecast"])
    assert any(
        text.startswith("Whole test, less than a week, 1 Jan to 2 Jan 2024") for text in said
    )
    assert not any(text.startswith("Third worst day") for text in said)
    assert any("too few origins" in text for text in texts(paths["error_by_lead_time"]))


def test_pictures_are_the_same_every_time_and_everywhere(run_dir: Path, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in write_pictures(run_dir, tell=quiet)}
    (tmp_path / "matplotlibrc").write_text(
        "font.size: 30\nlines.linewidth: 9\ntimezone: Asia/Tokyo\n"
    )
    subprocess.run(
        [sys.executable, "-m", "frugal_ai.cli", "plot", str(run_dir), "--out", "again"],
        check=True, cwd=tmp_path, capture_output=True, env={"LC_ALL": "C", "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == first


def test_png_is_written_instead_on_demand(run_dir: Path, tmp_path: Path) -> None:
    paths = list(write_pictures(run_dir, tmp_path / "png", png=True, tell=quiet))
    assert {path.suffix for path in paths} == {".png"}
    for path in paths:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert b"Description" in content
    assert not (run_dir / "plots").exists()


def test_names_are_text_not_markup(tmp_path: Path, make_table: Make, report: RunReport) -> None:
    odd = '50 % of $a$ & <b> d="M 1.23456" {0}'
    run = folder(tmp_path, make_table(), report, title=odd, unit="{$}")
    for path in write_pictures(run, tell=quiet):
        assert any(text.endswith(odd) for text in texts(path))
        assert any("{$}" in text for text in texts(path))


@contextmanager
def recorded(patch: pytest.MonkeyPatch) -> Iterator[dict[Text, Bbox]]:
    """Collect the texts that are drawn, with their places."""
    found: dict[Text, Bbox] = {}
    plain = Text.draw

    def draw(self: Text, renderer: Any) -> None:
        plain(self, renderer)
        if self.get_visible() and self.get_text().strip():
            found[self] = self.get_window_extent(renderer)

    with patch.context() as inner:
        inner.setattr(Text, "draw", draw)
        yield found


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        ({}, {}),
        ({"levels": FIVE, "step_s": 900, "steps": 96}, {"title": LONG, "unit": "MWh per 15 min"}),
        ({"steps": 1, "step_s": 86400, "levels": (0.5,)}, {"title": "x" * 150}),
        ({"steps": 72, "days": 100}, {"kind": "pv", "weather": "perfect"}),
        ({"steps": 4, "step_s": 1800, "days": 3, "levels": ()}, {"kind": "wind"}),
        ({"steps": 336, "days": 30}, {"timezone": "Asia/Kolkata"}),
    ],
)
def test_no_text_covers_another_or_leaves_the_picture(
    make_table: Make,
    make_subject: MakeSubject,
    monkeypatch: pytest.MonkeyPatch,
    draw: Callable[[Subject], Figure],
    shape: dict[str, Any],
    changes: dict[str, Any],
) -> None:
    subject = make_subject(make_table(**shape), **changes)
    with style(), recorded(monkeypatch) as found:
        drawn = draw(subject)
        drawn.canvas.draw()
    frame = drawn.bbox.padded(1)
    boxes = [(text.get_text(), box) for text, box in found.items()]
    assert len(boxes) > 3
    for index, (text, box) in enumerate(boxes):
        assert frame.contains(box.x0, box.y0), text
        assert frame.contains(box.x1, box.y1), text
        for other, there in boxes[:index]:
            assert not box.shrunk(0.98, 0.9).overlaps(there), (text, other)


def test_clocks_that_change_draw_one_line_forward(
    make_table: Make, make_subject: MakeSubject
) -> None:
    autumn = datetime(2024, 10, 23, tzinfo=ZoneInfo("Europe/Paris"))
    with style():
        drawn = forecast.draw(make_subject(make_table(days=7, first=autumn)))
    lines = [line for line in drawn.axes[0].lines if line.get_label() == "actual"]
    when = np.asarray(lines[0].get_xdata()).astype("datetime64[s]").astype(np.int64)
    values = np.asarray(lines[0].get_ydata(), dtype=np.float64)
    assert np.all(np.diff(when) == 3600)
    assert np.isnan(values).sum() == 1  # the hour that no forecast from midnight reaches
    assert len(values) == 7 * 24 + 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: (run / "run.json").unlink(), r"run\.json: expected a run's report"),
        (lambda run: (run / NAME).unlink(), r"forecasts\.parquet: expected the forecasts of a run"),
        (lambda run: (run / NAME).write_bytes(b"PAR1"), r"forecasts\.parquet: expected a Parquet"),
        (lambda run: (run / "plots").write_text(""), r"plots: cannot be created: File exists"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    run_dir: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], object],
    said: str,
) -> None:
    spoil(run_dir)
    with pytest.raises((DataError, OutputError), match=said):
        list(write_pictures(run_dir, tell=quiet))
    monkeypatch.setattr(sys, "argv", ["frugal-ai", "plot", str(run_dir)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("frugal-ai: error: ")
    assert shown.err.count("\n") == 1


def test_a_run_that_chose_nothing_has_no_pictures(
    tmp_path: Path, make_table: Make, report: RunReport
) -> None:
    rungs = tuple(rung.model_copy(update={"chosen": False}) for rung in report.rungs)
    run = folder(tmp_path, make_table(), report, chosen=None, rungs=rungs)
    with pytest.raises(
        DataError, match="expected a run that chose a rung, but this one chose none"
    ):
        list(write_pictures(run, tell=quiet))


def test_an_unknown_time_zone_is_refused(
    tmp_path: Path, make_table: Make, report: RunReport
) -> None:
    run = folder(tmp_path, make_table(), report, timezone="Europe/Nowhere")
    with pytest.raises(PipelineError, match="expected an IANA name"):
        list(write_pictures(run, tell=quiet))


def test_the_command_prints_the_files(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.main(["plot", str(run_dir)], standalone_mode=False)
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        str(run_dir / "plots" / f"{name}.svg")
        for name in ("forecast", "error_by_lead_time", "reliability", "residuals_by_hour")
    ]
    assert shown.err == ""
