import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from frugal_ai.report import LeadReport, LevelReport, RungRow, RunReport
from frugal_ai.tracking import default_uri, log_run, read_runs, rows
from frugal_ai.tracking.content import row_fields, run_tags, rung_tags
from frugal_ai.tracking.records import read_heads, read_records

RunMaker = Callable[..., Path]


def without_store(row: RungRow) -> RungRow:
    return row.model_copy(update={"mlflow_run_id": None})


@pytest.fixture
def uri(run_dir: Path) -> str:
    return default_uri(run_dir.parent)


def by_rung(found: list[RungRow]) -> list[RungRow]:
    return sorted(found, key=lambda row: row.rung)


def test_rows_come_back_as_they_went(run_dir: Path, uri: str) -> None:
    log_run(run_dir)
    found = read_runs(uri)
    assert by_rung([without_store(row) for row in found]) == by_rung(RunReport.read(run_dir).rows())
    assert len({row.mlflow_run_id for row in found} - {None}) == 3


def test_errors_by_lead_time_are_one_tag(make_run: RunMaker, tmp_path: Path) -> None:
    leads = (
        LeadReport(from_s=0, to_s=3600, mae=0.1234567890123, mae_ci=(0.1, 0.2), points=362),
        LeadReport(from_s=3600, to_s=86400, mae=0.5, points=8000),
    )
    example = RunReport.read(make_run(tmp_path / "runs"))
    new = example.rungs[0].model_copy(update={"mae_by_lead": leads})
    folder = make_run(tmp_path / "runs", run_id="new", rungs=(new, *example.rungs[1:]))
    log_run(folder)
    uri = default_uri(folder.parent)
    found = {row.rung: row.mae_by_lead for row in read_runs(uri)}
    assert found == {one.rung: leads if one is new else () for one in (new, *example.rungs[1:])}
    tags = [rung_tags(row) for row in RunReport.read(folder).rows()]
    assert ["frugal.mae_by_lead" in one for one in tags] == [True, False, False]
    assert len(tags[0]["frugal.mae_by_lead"]) < 250
    records = read_records(uri, [one.run_id for one in read_heads(uri)])
    logged = [one.tags for one in records.values()]
    assert [one["frugal.mae_by_lead"] for one in logged if "frugal.mae_by_lead" in one] == [
        tags[0]["frugal.mae_by_lead"]
    ]


def test_a_spoilt_tag_leaves_its_run_out(
    run_dir: Path, uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_run(run_dir)
    (first, *rest) = read_runs(uri)
    MlflowClient(uri).set_tag(first.mlflow_run_id, "frugal.mae_by_lead", "[{")
    assert {row.rung for row in read_runs(uri)} == {row.rung for row in rest}
    assert f"MLflow run {first.mlflow_run_id} is left out: mae_by_lead" in caplog.text


def test_tags_hold_whatever_is_no_figure(run_dir: Path) -> None:
    for row in RunReport.read(run_dir).rows():
        fields = row_fields(rung_tags(row) | {"mlflow.user": "x", "team": "y"})
        assert RungRow.model_validate({**fields, **row.unflat(known(row))}) == row


@pytest.mark.parametrize("weather", ["perfect", "as_known", "none", None])
def test_how_the_weather_was_known_is_a_tag_of_run_and_rung(
    make_run: RunMaker, tmp_path: Path, weather: str | None
) -> None:
    report = RunReport.read(make_run(tmp_path / "runs", weather=weather))
    assert run_tags(report).get("frugal.weather") == weather
    for row in report.rows():
        assert rung_tags(row).get("frugal.weather") == row.weather == weather


def known(row: RungRow) -> dict[str, float]:
    return {name: value for name, value in row.flat().items() if value is not None}


def test_pages_are_followed(run_dir: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log_run(run_dir)
    MlflowClient(uri).create_experiment("another")
    monkeypatch.setattr(rows, "_PAGE", 2)
    assert len(read_runs(uri)) == 3


def test_one_pipeline_may_be_asked_for(run_dir: Path, uri: str) -> None:
    log_run(run_dir)
    assert len(read_runs(uri, "load")) == 3
    assert read_runs(uri, "wind") == []


def test_a_store_without_runs_has_no_rows(run_dir: Path, uri: str) -> None:
    assert read_runs(uri) == []


def test_runs_of_others_and_deleted_ones_are_left_out(run_dir: Path, uri: str) -> None:
    logged = log_run(run_dir)
    client = MlflowClient(uri)
    client.set_terminated(client.create_run(str(logged.experiment_id)).info.run_id)
    first, *others = read_runs(uri)
    client.delete_run(first.mlflow_run_id)
    assert by_rung(read_runs(uri)) == by_rung(others)


def test_a_run_that_lost_a_tag_is_left_out_aloud(
    run_dir: Path, uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_run(run_dir)
    first, *others = read_runs(uri)
    MlflowClient(uri).delete_tag(first.mlflow_run_id, "hardware")
    with caplog.at_level(logging.WARNING):
        assert by_rung(read_runs(uri)) == by_rung(others)
    assert f"MLflow run {first.mlflow_run_id} is left out: hardware" in caplog.text


def test_figures_of_quantiles_come_back_too(run_dir: Path, uri: str) -> None:
    figures = {
        "pinball": 251.2, "npinball": 0.005, "crps": 512.3, "coverage": 0.8,
        "coverage_ci": (0.77, 0.82), "coverage_nominal": 0.8, "sharpness": 2210.4,
        "nsharpness": 0.04, "levels": (LevelReport(level=0.5, pinball=1.0, share=0.5),),
    }  # fmt: skip
    report = RunReport.read(run_dir)
    rungs = tuple(rung.model_copy(update=figures) for rung in report.rungs)
    report.model_copy(update={"rungs": rungs}).write(run_dir)
    log_run(run_dir)
    found = by_rung([without_store(row) for row in read_runs(uri)])
    assert found == by_rung(RunReport.read(run_dir).rows())
    assert (found[0].coverage, found[0].coverage_ci) == (0.8, (0.77, 0.82))
