import csv
import io
import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from codecarbon.output_methods.emissions_data import EmissionsData

from frugal_ai.cli import commands
from frugal_ai.cost.factors import load_factors
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.errors import DataError, FrugalError
from frugal_ai.exports.emissions_csv import COLUMNS
from frugal_ai.exports.sci import score
from frugal_ai.exports.subject import read_subject

HERE = Path(__file__).parents[2]


def export(*arguments: object) -> Any:
    return CliRunner().invoke(commands, ["export", *map(str, arguments)])


def text(*arguments: object) -> str:
    found = export(*arguments)
    assert found.exit_code == 0, found.exception
    return str(found.output)


def test_columns_are_codecarbons() -> None:
    assert tuple(field.name for field in fields(EmissionsData)) == COLUMNS


def test_rows_of_emissions_add_up_to_the_ledger(intensity_run: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(text("emissions", intensity_run.folder))))
    records = read_ledger(intensity_run.folder / "ledger.jsonl")
    assert len(rows) == len(records)
    kg = sum(float(row["emissions"]) for row in rows)
    assert kg == pytest.approx(sum(record.emissions for record in records))
    for row in rows:
        energy = float(row["cpu_energy"]) + float(row["ram_energy"])
        assert float(row["energy_consumed"]) == pytest.approx(energy)
        watts = float(row["cpu_power"])
        assert watts * float(row["duration"]) / 3.6e6 == pytest.approx(float(row["cpu_energy"]))
        assert (row["country_name"], row["country_iso_code"]) == ("France", "FRA")
    assert {row["experiment_id"] for row in rows} >= {"data", "training/ridge", "unattributed"}


def test_codecarbon_appends_below_our_rows(intensity_run: Any, tmp_path: Path) -> None:
    from codecarbon.output_methods.file import FileOutput

    path = tmp_path / "emissions.csv"
    path.write_text(text("emissions", intensity_run.folder))
    before = len(path.read_text().splitlines())
    blank: dict[str, Any] = {field.name: 0 for field in fields(EmissionsData)}
    output = FileOutput("emissions.csv", str(tmp_path), on_csv_write="append")
    output.out(EmissionsData(**blank | {"run_id": "theirs"}), None)
    assert len(path.read_text().splitlines()) == before + 1


def test_a_model_card_is_in_grams(intensity_run: Any) -> None:
    card = text("model-card", intensity_run.folder)
    assert card.startswith("---\n")
    found = yaml.safe_load(card.strip("-\n"))["co2_eq_emissions"]
    records = read_ledger(intensity_run.folder / "ledger.jsonl")
    assert found["emissions"] == pytest.approx(1000 * sum(one.emissions for one in records))
    keys = ["emissions", "source", "training_type", "geographical_location", "hardware_used"]
    assert list(found) == keys
    assert found["geographical_location"] == "France"


def test_a_bundle_in_a_run_stands_for_the_run(intensity_run: Any) -> None:
    assert text("model-card", intensity_run.bundle) == text("model-card", intensity_run.folder)
    assert text("sci", intensity_run.bundle) == text("sci", intensity_run.folder)


def test_a_bundle_alone_has_a_card(intensity_run: Any, tmp_path: Path) -> None:
    alone = shutil.copytree(intensity_run.bundle, tmp_path / "a" / "b" / "alone")
    found = yaml.safe_load(text("model-card", alone).strip("-\n"))["co2_eq_emissions"]
    costs = json.loads((alone / "manifest.json").read_text())["costs"]
    assert found["emissions"] == pytest.approx(costs["training_co2e_g"])
    assert "this model alone" in found["source"]


# Boavizta/BoAmps, folder model/: report_schema.json at 01f4c8e, algorithm_schema.json at 5546e7f,
# dataset_schema.json at 4080193, hardware_schema.json at 20c9a98; by field its type, or the words
# that are allowed. Fields of a measure as CodeCarbon 3.3.2 writes them.
TEXT, NUMBER, WHOLE = str, (int, float), int
ALGORITHM = {
    "trainingType": TEXT, "algorithmType": TEXT, "algorithmName": TEXT, "framework": TEXT,
    "frameworkVersion": TEXT, "quantization": TEXT, "parametersNumber": NUMBER,
}  # fmt: skip
DATASET = {
    "dataUsage": {"input", "output"},
    "dataType": {"tabular", "audio", "boolean", "image", "video", "object", "text", "token",
                 "word", "other"},
    "source": {"public", "private", "other"}, "dataSize": NUMBER, "dataQuantity": NUMBER,
}  # fmt: skip
MEASURE = {
    "measurementMethod": TEXT, "version": TEXT, "cpuTrackingMode": TEXT,
    "powerConsumption": NUMBER, "measurementDuration": NUMBER, "measurementDateTime": TEXT,
}  # fmt: skip
HARDWARE = {
    "componentName": TEXT, "componentType": TEXT, "nbComponent": WHOLE, "memorySize": WHOLE,
    "share": NUMBER,
}  # fmt: skip
SCHEMA: dict[str, Any] = {
    "header": {
        "formatVersionSpecificationUri": TEXT, "reportId": TEXT, "reportDatetime": TEXT,
        "reportStatus": {"draft", "final", "corrective", "other"},
        "publisher": {
            "name": TEXT, "projectName": TEXT,
            "confidentialityLevel": {"public", "internal", "confidential", "secret"},
        },
    },
    "task": {
        "taskStage": TEXT, "taskFamily": TEXT, "taskDescription": TEXT, "algorithms": [ALGORITHM],
        "dataset": [DATASET],
    },
    "measures": [MEASURE],
    "system": {"os": TEXT},
    "software": {"language": TEXT, "version": TEXT},
    "infrastructure": {
        "infraType": {"publicCloud", "privateCloud", "onPremise", "other"},
        "components": [HARDWARE],
    },
    "environment": {"country": TEXT, "powerSourceCarbonIntensity": NUMBER},
    "quality": {"high", "medium", "low"},
}  # fmt: skip
REQUIRED = {
    "": ("task", "measures", "infrastructure"),
    "header": ("reportDatetime",),
    "header.publisher": ("confidentialityLevel",),
    "task": ("taskStage", "taskFamily", "algorithms", "dataset"),
    "task.dataset": ("dataUsage", "dataType"),
    "system": ("os",),
    "software": ("language",),
    "infrastructure": ("infraType", "components"),
    "infrastructure.components": ("componentType", "nbComponent"),
    "environment": ("country",),
}


def faults(value: Any, schema: Any, at: str = "") -> list[str]:
    """Compare a report with the fields of the schema."""
    if isinstance(schema, set):
        return [] if value in schema else [f"{at}: {value!r}"]
    if isinstance(schema, list):
        if not isinstance(value, list) or not value:
            return [f"{at}: expected items"]
        return [fault for one in value for fault in faults(one, schema[0], at)]
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{at}: expected an object"]
        found = [f"{at}: {name} is missing" for name in REQUIRED.get(at, ()) if name not in value]
        found += [f"{at}: {name} is unknown" for name in value.keys() - schema.keys()]
        for name in value.keys() & schema.keys():
            found += faults(value[name], schema[name], f"{at}.{name}".lstrip("."))
        return found
    fits = isinstance(value, schema) and not isinstance(value, bool)
    return [] if fits else [f"{at}: {value!r}"]


def test_boamps_has_the_fields_of_its_schema(intensity_run: Any) -> None:
    found = json.loads(text("boamps", intensity_run.folder))
    assert faults(found, SCHEMA) == []
    records = read_ledger(intensity_run.folder / "ledger.jsonl")
    kwh = sum(record.energy_consumed for record in records)
    assert found["measures"][0]["powerConsumption"] == pytest.approx(kwh)
    assert found["quality"] == "low"  # nothing was read from a meter


@pytest.mark.parametrize("key", ["measures", "infrastructure", "quality"])
def test_the_check_of_boamps_can_fail(key: str, intensity_run: Any) -> None:
    found = json.loads(text("boamps", intensity_run.folder))
    assert faults({k: v for k, v in found.items() if k != key} | {"x": 1}, SCHEMA)
    assert faults(found | {key: "wrong"}, SCHEMA)


def test_sci_by_hand(intensity_run: Any) -> None:
    found = json.loads(text("sci", intensity_run.folder))
    records = read_ledger(intensity_run.folder / "ledger.jsonl")
    assert found["provider"]["e_kwh"] == pytest.approx(sum(r.energy_consumed for r in records))
    hours = sum(r.n_threads * r.wall_s for r in records) / 3600
    m_g = hours * load_factors().get("server_embodied").value
    assert found["provider"]["m_g"] == pytest.approx(m_g)
    for who in ("provider", "consumer"):
        one = found[who]
        by_hand = (one["e_kwh"] * one["i_g_per_kwh"] + one["m_g"]) / one["r"]
        assert one["sci_g_per_r"] == pytest.approx(by_hand)
    assert found["fleet"] is None
    chosen = read_subject(intensity_run.folder).chosen
    dynamic = found["consumer"]["e_kwh"] * found["consumer"]["i_g_per_kwh"]
    assert dynamic == pytest.approx(chosen.co2e_g_per_1000)


def test_sci_of_a_fleet_is_that_of_its_bill(intensity_run: Any) -> None:
    fleet = HERE / "pipelines" / "fleets" / "illustration.yaml"
    found = json.loads(text("sci", intensity_run.folder, "--fleet", fleet))
    assert found["fleet"]["r"] > 0
    assert found["fleet"]["score_g"] > found["consumer"]["sci_g_per_r"]


def test_a_score_needs_functional_units() -> None:
    assert score(2, 50, 10, 5).sci_g_per_r == 22
    with pytest.raises(ValueError, match="functional units above 0"):
        score(1, 1, 1, 0)


def test_a_frugality_statement_answers_every_question(intensity_run: Any) -> None:
    said = text("frugality", intensity_run.folder)
    for number in ("9.1", "9.2", "9.3", "9.4", "9.5", "9.6", "9.7", "8.3", "8.4", "8.10"):
        assert f"### {number} " in said
    assert "AFNOR SPEC 2314" in said
    report = read_subject(intensity_run.folder).report
    for rung in report.rungs:
        assert rung.rung in said
    assert report.reason in said


def test_what_was_not_run_is_evidence(intensity_run: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(intensity_run.folder, tmp_path / "run")
    report = json.loads((folder / "run.json").read_text())
    report["not_run"] = [
        {
            "rung": "boosting", "family": "boosting", "why": "gain", "reason": "gains too little",
            "expected_co2e_g": 0.5, "spent_co2e_g": 0.01,
        }
    ]  # fmt: skip
    (folder / "run.json").write_text(json.dumps(report))
    said = text("frugality", folder)
    assert "would have cost 500 mgCO2e; finding that out cost 10 mgCO2e" in said
    assert "left out: boosting" in said


@pytest.mark.parametrize("form", ["emissions", "model-card", "boamps", "sci", "frugality"])
def test_a_file_is_written(form: str, intensity_run: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert text(form, intensity_run.folder, "--out", out) == f"{out}\n"
    assert out.read_text() == text(form, intensity_run.folder)


@pytest.mark.parametrize("form", ["emissions", "model-card", "boamps", "sci", "frugality"])
def test_something_else_is_refused(form: str, tmp_path: Path) -> None:
    found = export(form, tmp_path)
    assert isinstance(found.exception, FrugalError)
    assert "expected a run folder" in str(found.exception)


def test_a_run_that_chose_nothing_is_refused(intensity_run: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(intensity_run.folder, tmp_path / "run")
    report = json.loads((folder / "run.json").read_text())
    report["chosen"] = None
    for rung in report["rungs"]:
        rung["chosen"] = False
    (folder / "run.json").write_text(json.dumps(report))
    with pytest.raises(DataError, match="expected a run that has chosen a rung"):
        read_subject(folder)


def test_a_cut_ledger_is_refused(intensity_run: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(intensity_run.folder, tmp_path / "run")
    ledger = folder / "ledger.jsonl"
    ledger.write_text(ledger.read_text()[:-20])
    with pytest.raises(DataError, match="an export needs the whole ledger"):
        read_subject(folder)
