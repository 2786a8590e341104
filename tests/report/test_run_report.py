import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frugal_ai.errors import DataError, OutputError
from frugal_ai.report import (
    Figures,
    LeadReport,
    LevelReport,
    MlflowReport,
    RungReport,
    RungRow,
    RunReport,
)

EXAMPLE = Path(__file__).with_name("run.json")
CONTENT: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))

Change = Callable[[dict[str, Any]], object]


def write_json(folder: Path, change: Change) -> Path:
    content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    change(content)
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = RunReport.read(EXAMPLE.parent)
    report.write(tmp_path)
    assert RunReport.read(tmp_path) == report
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert json.loads((tmp_path / "run.json").read_bytes())["reason"] == CONTENT["reason"]


amount = st.none() | st.floats(0, 1e300)
bounds = st.none() | st.tuples(st.floats(-1e9, 0), st.floats(0, 1e9))
figures = st.fixed_dictionaries(
    {
        name: bounds
        if name.endswith("_ci")
        else st.none() | st.integers(0, 2**50)
        if name == "bytes"
        else st.none() | st.floats(0, 1)
        if name in {"coverage", "coverage_nominal"}
        else amount
        for name in Figures.model_fields
    }
)


@given(figures)
def test_figures_survive_json_and_being_flattened(values: dict[str, Any]) -> None:
    levels = (LevelReport(level=0.1, pinball=1.0, share=0.2), LevelReport(level=0.9, pinball=2.0))
    rung = RungReport(rung="r", family="linear", ended=CONTENT["ended"], levels=levels, **values)
    assert RungReport.model_validate_json(rung.model_dump_json()) == rung
    flat = {name: value for name, value in rung.flat().items() if value is not None}
    assert Figures(**Figures.unflat(flat)) == Figures(**values)


def test_older_runs_have_no_errors_by_lead_time() -> None:
    rung = RungReport(rung="r", family="linear", ended=CONTENT["ended"])
    older = json.loads(rung.model_dump_json(exclude={"mae_by_lead"}))
    assert RungReport.model_validate(older).mae_by_lead == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to_s": 3600}, "expected from_s below to_s, got 3600 and 3600"),
        ({"mae_ci": (2.0, 1.0)}, "expected .low, high., got .2.0, 1.0."),
        ({"points": 0}, "greater than 0"),
    ],
)
def test_a_band_of_lead_times_is_checked(changes: dict[str, Any], said: str) -> None:
    good = {"from_s": 3600, "to_s": 7200, "mae": 1.5, "mae_ci": (1.0, 2.0), "points": 9}
    assert LeadReport.model_validate(good).lead == (3600, 7200)
    with pytest.raises(ValidationError, match=said):
        LeadReport.model_validate(good | changes)


def test_flat_names_are_plain_and_others_are_left_out() -> None:
    flat = Figures(skill=0.5, skill_ci=(0.4, 0.6), bytes=7).flat()
    assert (flat["skill"], flat["skill_lo"], flat["skill_hi"], flat["bytes"]) == (0.5, 0.4, 0.6, 7)
    assert flat["mae"] is None
    assert flat["gain_hi"] is None
    assert not [name for name in flat if name.endswith("_ci")]
    assert Figures.unflat({"mae": 1.0, "gain_lo": 0.1, "epoch": 3.0}) == {"mae": 1.0}


def test_rows_know_what_they_may_be_compared_with() -> None:
    report = RunReport.read(EXAMPLE.parent)
    rows = report.rows()
    assert [row.rung for row in rows] == [rung.rung for rung in report.rungs]
    assert [row.rung for row in rows if row.chosen] == ["basis_ridge"]
    assert {row.hardware for row in rows} == {"Example CPU 2.1 GHz, 4 W/thread assumed"}
    assert len({row.circumstances for row in rows}) == 1
    other = rows[0].model_copy(update={"intensity_g_per_kwh": 21.7})
    assert other.circumstances != rows[0].circumstances
    assert rows[0].model_copy(update={"mae": 1.0}).circumstances == rows[0].circumstances


def test_a_known_processor_is_not_called_assumed() -> None:
    hardware = RunReport.read(EXAMPLE.parent).context.hardware
    known = hardware.model_copy(update={"default": False, "tdp_w": 65.0, "threads": 12})
    assert known.label == "Example CPU 2.1 GHz, 5.42 W/thread"


def test_the_bill_of_a_life_needs_both_of_its_parts() -> None:
    row = RunReport.read(EXAMPLE.parent).rows()[5]
    assert row.life_g == pytest.approx(2.5830e-05 + 6.1e-06, rel=1e-3)
    served = row.model_copy(update={"forecasts": 2_000_000})
    assert served.life_g == pytest.approx(2.5830e-05 + 2000 * 6.1e-06, rel=1e-3)
    assert row.model_copy(update={"co2e_g": None}).life_g is None
    assert row.model_copy(update={"co2e_g_per_1000": None}).life_g is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(schema_version=2, extra=1), "schema_version: expected 1, got 2"),
        (lambda c: c.pop("schema_version"), "schema_version: expected 1, got none"),
        (lambda c: c.pop("pipeline"), "pipeline: Field required"),
        (lambda c: c.update(colour="red"), "colour: Extra inputs are not permitted, got 'red'"),
        (lambda c: c.update(started="2026-11-20T08:00:00"), "started: .*timezone"),
        (lambda c: c.update(pipeline="../load"), "pipeline: String should match"),
        (lambda c: c.update(run_id="a' or 'b"), "run_id: String should match"),
        (lambda c: c.update(chosen="boosting"), "chosen: expected the rung marked as chosen"),
        (lambda c: c.update(chosen=None), "chosen: expected the rung marked as chosen"),
        (lambda c: c.update(bundles=["../bundle"]), "bundles: expected folders inside"),
        (lambda c: c.update(bundles=["/etc"]), "bundles: expected folders inside"),
        (lambda c: c.update(bundles=[""]), "bundles: expected folders inside"),
        (lambda c: c["rungs"].append(c["rungs"][0]), "expected every rung once, got 'persistence'"),
        (lambda c: c["rungs"][3].update(mae=float("nan")), r"rungs\.3\.mae: .*finite number"),
        (lambda c: c["rungs"][3].update(co2e_g=-1), r"rungs\.3\.co2e_g: .*greater than or equal"),
        (lambda c: c["rungs"][4].update(verdict="fine"), r"rungs\.4\.verdict: .*'worth it'"),
        (lambda c: c["rungs"][4].update(skill_ci=[2, 1]), r"rungs\.4\.skill_ci: expected \[low"),
        (lambda c: c["rungs"][4].update(skill_ci=[1]), r"rungs\.4\.skill_ci\.1: Field required"),
        (lambda c: c["context"]["hardware"].pop("tdp_w"), r"context\.hardware\.tdp_w: Field"),
        (lambda c: c.update(mlflow={"uri": "x", "logged": True}), "mlflow: expected run_id and"),
        (lambda c: c.update(mlflow={"uri": "x", "logged": False}), "mlflow: expected why where"),
        (lambda c: c.update(title=["x" * 200]), r"title: .*got \['x+\.\.\.$"),
    ],
)
def test_a_report_that_is_none_says_file_and_key(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        RunReport.read(write_json(tmp_path, change))
    assert str(caught.value).startswith(f"{tmp_path / 'run.json'}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"a": "\xff"}', b"null"])
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "run.json").write_bytes(text)
    with pytest.raises(DataError, match=r"run\.json: "):
        RunReport.read(tmp_path)


def test_a_folder_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run\.json: expected a run's report: No such file"):
        RunReport.read(tmp_path)


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = RunReport.read(EXAMPLE.parent)
    report.write(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OutputError, match="cannot be written: No space left on device"):
            report.model_copy(update={"seed": 7}).write(tmp_path)
    assert RunReport.read(tmp_path).seed == report.seed
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    with pytest.raises(OutputError, match="No such file or directory"):
        report.write(tmp_path / "absent")


def test_where_a_run_is_logged_is_part_of_its_report(tmp_path: Path) -> None:
    logged = MlflowReport(uri="http://host:5000", logged=True, run_id="r", experiment_id="1")
    RunReport.read(EXAMPLE.parent).model_copy(update={"mlflow": logged}).write(tmp_path)
    assert RunReport.read(tmp_path).mlflow == logged


def test_a_row_stands_for_itself() -> None:
    row = RunReport.read(EXAMPLE.parent).rows()[0]
    assert RungRow.model_validate_json(row.model_dump_json()) == row


def test_a_report_from_before_there_were_quantiles_is_read() -> None:
    assert not any("pinball" in rung or "levels" in rung for rung in CONTENT["rungs"])
    report = RunReport.read(EXAMPLE.parent)
    assert all(rung.pinball is None and rung.levels == () for rung in report.rungs)
    assert all(row.coverage is None for row in report.rows())


def test_levels_stay_with_the_run_and_not_in_its_rows() -> None:
    report = RunReport.read(EXAMPLE.parent)
    first = report.rungs[0].model_copy(update={"levels": (LevelReport(level=0.5, pinball=1.0),)})
    report = report.model_copy(update={"rungs": (first, *report.rungs[1:])})
    assert len(report.rows()) == len(report.rungs)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_level_that_is_none_is_refused(tmp_path: Path, level: float) -> None:
    def change(content: dict[str, Any]) -> None:
        content["rungs"][0]["levels"] = [{"level": level, "pinball": 1.0, "share": 0.1}]

    with pytest.raises(DataError, match=r"rungs\.0\.levels\.0\.level: .* got"):
        RunReport.read(write_json(tmp_path, change))
