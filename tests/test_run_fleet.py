"""A run whose pipeline declares a fleet, and the bill of what it leaves."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from frugal_ai.bill.model import read_model
from frugal_ai.cli import commands
from frugal_ai.cost.ledger_file import append_ledger, read_ledger, read_lines
from frugal_ai.errors import CostError, PipelineError
from frugal_ai.pipeline import read_pipeline
from frugal_ai.report import RunReport
from frugal_ai.tracking import default_uri

FLEET = {
    "name": "substations", "country": "FR", "years": 5, "allocation": {"rule": "share"},
    "gateways": {"count": 50, "lifetime_years": 8, "forecasts_per_day": 48},
    "retrain_every": "30d",
}  # fmt: skip
QUICK = ["persistence", {"rung": "seasonal_naive", "season": "1d"}, "ridge"]


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, small_settings: dict[str, Any], empty_store: Path
) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "runs").mkdir()
    shutil.copy(empty_store, folder / "runs")
    (folder / "fleet.yaml").write_text(yaml.safe_dump(FLEET))
    pipeline = folder / "small.yaml"
    declared = small_settings | {"rungs": QUICK, "fleet": "fleet.yaml", "compress": False}
    pipeline.write_text(yaml.safe_dump(declared))
    done = invoke("run", pipeline, "--out", folder / "runs" / "one", "--json")
    assert done.exit_code == 0, done.output
    return folder


def test_choice_says_that_the_life_cycle_counts(ran: Path) -> None:
    report = RunReport.read(ran / "runs" / "one")
    assert "over the life of substations (50 gateways, 5 years, FR)" in report.reason
    assert report.context.fleet is not None
    assert report.context.fleet.startswith("substations")
    for row in report.rows():
        assert row.life_cycle_g is not None
        assert row.life_g == row.life_cycle_g > 0
    svg = (ran / "runs" / "one" / "pareto.svg").read_text()
    assert "hangs on the rung over the life of substations" in svg


def test_bill_lies_in_the_run_folder_and_in_mlflow(ran: Path) -> None:
    from mlflow.tracking import MlflowClient

    out = ran / "runs" / "one"
    bill = json.loads((out / "bill" / "bill.json").read_text())
    report = RunReport.read(out)
    assert bill["model"] == report.chosen
    assert report.mlflow is not None
    assert report.mlflow.run_id is not None
    client = MlflowClient(default_uri(out.parent))
    metrics = client.get_run(report.mlflow.run_id).data.metrics
    assert metrics["bill.whole.co2e_g"] == pytest.approx(bill["whole"]["gco2e"])
    assert metrics["bill.embodied.co2e_g"] == pytest.approx(bill["stages"]["embodied"]["gco2e"])
    assert metrics["ledger.training.co2e_g"] > 0
    files = {one.path for one in client.list_artifacts(report.mlflow.run_id, "bill")}
    assert files == {f"bill/{name}" for name in ("bill.json", "bill.svg", "tornado.svg",
                                                 "ledger.jsonl")}  # fmt: skip


def test_projected_lines_are_records_with_the_terms_of_the_score(ran: Path) -> None:
    records = read_ledger(ran / "runs" / "one" / "bill" / "ledger.jsonl")
    stages = {one.stage for one in records}
    assert {"retraining", "deployment", "inference", "idle", "embodied"} <= stages
    for one in records:
        assert one.energy_method == "factor"
        assert one.functional_unit == "1000 forecasts"
        assert one.allocation_rule == "share"
    made = next(one for one in records if one.stage == "embodied" and one.te_g)
    assert made.te_g == pytest.approx(50 * 36_100)
    terms = (made.te_g, made.tir_s, made.el_s, made.rr, made.tor)
    te, tir, el, rr, tor = (one or 0.0 for one in terms)
    assert te * tir / el * rr / tor == pytest.approx(made.embodied_g)


def test_project_ledger_has_the_run(ran: Path) -> None:
    own = read_ledger(ran / "runs" / "one" / "ledger.jsonl")
    assert read_ledger(ran / "runs" / "ledger.jsonl") == own
    done = invoke("ledger", ran / "runs" / "ledger.jsonl", "--by", "pipeline", "--json")
    (total,) = json.loads(done.output)
    assert total["key"] == "small"
    assert total["co2e_g"] == pytest.approx(1000 * sum(one.emissions for one in own))


def test_bill_of_the_run_by_the_command(ran: Path, tmp_path: Path) -> None:
    out = ran / "runs" / "one"
    done = invoke("bill", out, "--fleet", ran / "fleet.yaml", "--json")
    assert done.exit_code == 0, done.output
    again, before = json.loads(done.output), json.loads((out / "bill" / "bill.json").read_text())
    # MLflow's line came after the run's own bill
    assert again["stages"].pop("metering")["gco2e"] > before["stages"].pop("metering")["gco2e"]
    assert again["stages"] | {"embodied": 0} == before["stages"] | {"embodied": 0}
    shown = invoke("bill", out, "--fleet", ran / "fleet.yaml", "--out", tmp_path / "bill")
    assert shown.exit_code == 0, shown.output
    for word in ("retraining", "embodied", "whole", "dominant:", "would change it:", "SCI ="):
        assert word in shown.output
    assert (tmp_path / "bill" / "tornado.svg").read_text().startswith("<?xml")


def test_bill_of_the_bundle_alone(ran: Path) -> None:
    done = invoke("bill", ran / "runs" / "one" / "bundle", "--fleet", ran / "fleet.yaml", "--json")
    assert done.exit_code == 0, done.output
    alone = json.loads(done.output)
    whole = read_model(ran / "runs" / "one")
    bundle = read_model(ran / "runs" / "one" / "bundle")
    assert any("not chosen are not on the bill" in note for note in alone["notes"])
    assert bundle.bundle_bytes == whole.bundle_bytes
    assert bundle.retraining.kwh == pytest.approx(whole.retraining.kwh)
    assert bundle.cpu_s == pytest.approx(whole.cpu_s)


def test_a_model_against_itself(ran: Path) -> None:
    out = ran / "runs" / "one"
    done = invoke("bill", out, "--fleet", ran / "fleet.yaml", "--against", out)
    assert "is 1 times that of" in done.output
    assert "repeatability 1 to 1; power 1 to 1; factors 1 to 1" in done.output


def test_lines_of_a_bill_are_not_counted_as_the_runs(ran: Path) -> None:
    out = ran / "runs" / "one"
    before, path = read_model(out), out / "ledger.jsonl"
    content = path.read_bytes()
    append_ledger(read_ledger(out / "bill" / "ledger.jsonl"), path)
    assert read_model(out).run == before.run
    path.write_bytes(content + b'{"record_version": 2, "sta')
    model = read_model(out)
    assert model.run == before.run
    assert "ledger.jsonl" in model.notes[0]
    path.write_bytes(content)
    assert read_lines(path).problems == ()


def test_neither_run_nor_bundle(tmp_path: Path) -> None:
    with pytest.raises(CostError, match=r"expected a run folder .* or a bundle"):
        read_model(tmp_path)


def test_training_alone_can_be_asked_for(tmp_path: Path, small_settings: dict[str, Any]) -> None:
    def declared(**changes: Any) -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(small_settings | changes))
        return path

    assert read_pipeline(declared()).carbon == "training"
    assert read_pipeline(declared(fleet=FLEET)).carbon == "life_cycle"
    chosen = read_pipeline(declared(fleet=FLEET, selection={"carbon": "training"}))
    assert chosen.carbon == "training"
    with pytest.raises(PipelineError, match="expected a fleet beside life_cycle, got none"):
        read_pipeline(declared(selection={"carbon": "life_cycle"}))
    with pytest.raises(PipelineError, match=r"small\.yaml: fleet: .*absent\.yaml: cannot be read"):
        read_pipeline(declared(fleet="absent.yaml"))
    with pytest.raises(PipelineError, match=r"fleet\.years"):
        read_pipeline(declared(fleet=FLEET | {"years": -1}))


def test_unknown_country_of_a_fleet_is_refused_before_anything_is_run(
    tmp_path: Path, small_settings: dict[str, Any]
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings | {"fleet": FLEET | {"country": "XXX"}}))
    done = invoke("check", path)
    assert done.exit_code == 2
    assert "expected an ISO 3166-1 code" in done.output + done.stderr


def test_check_says_what_is_weighed(ran: Path) -> None:
    done = invoke("check", ran / "small.yaml")
    assert "substations (50 gateways, 5 years, FR): its life cycle is weighed" in done.output


def test_factors_in_force(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(
        "key,region,value,unit,name,year,low,high,source\n"
        "grid_intensity,FRA,12,gCO2e/kWh,France,2026,,,our contract 2026\n"
    )
    done = invoke("factors", "--country", "FR", "--factors", own, "--json")
    found = json.loads(done.output)
    rows = {row["key"]: row for row in found["factors"]}
    assert rows["grid_intensity"]["value"] == 12
    assert rows["electricity_price"]["region"] == "FRA"
    assert all(row["source"] for row in rows.values())
    plain = json.loads(invoke("factors", "--country", "FRA", "--json").output)
    assert plain["factor_set_id"] != found["factor_set_id"]
    assert [row["key"] for row in plain["factors"]] == [row["key"] for row in found["factors"]]
    own.write_text(own.read_text().replace("our contract 2026", ""))
    done = invoke("factors", "--factors", own)
    assert isinstance(done.exception, CostError)
    assert "own.csv:2: expected a source" in str(done.exception)
