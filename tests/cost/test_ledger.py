import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import CostSettings, build_context
from frugal_ai.cost.hardware import Host
from frugal_ai.cost.ledger import Finding, Ledger
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.record import STAGES, Stage
from frugal_ai.errors import CostError, OutputError

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")


def work(cpu_s: float, children_s: float = 0.0) -> Measurement:
    return Measurement.once(Reading(cpu_s, children_s, cpu_s))


def ledger(country: str = "FRA", pue: float = 1.0) -> Ledger:
    context = build_context(CostSettings(country=country, pue=pue), HOST)
    return Ledger(context, run_id="r1", project_name="load", dataset_id="abc")


@pytest.fixture
def filled() -> Ledger:
    book = ledger(pue=1.2)
    book.add("data", work(1))
    book.add("training", work(2), rung="ridge")
    book.add("training", work(4), rung="boosting", model_id="m")
    book.add("tuning", work(8, children_s=1), rung="boosting", note="three trials")
    return book


def test_what_is_found_out_later_stands_on_the_lines_that_it_is_about(filled: Ledger) -> None:
    filled.add("inference", work(1), rung="boosting")
    found = Finding("test MAE [MW]", 2.5, (2.0, 3.0), cold_start_cpu_s=0.2)
    filled.complete("digest", {"boosting": found})
    filled.add("metering", work(1))
    assert {one.dataset_id for one in filled.records} == {"digest"}
    said = {
        (one.stage, one.rung): (one.metric_name, one.metric_value, one.metric_ci)
        for one in filled.records
        if one.metric_value is not None
    }
    assert said == {("training", "boosting"): ("test MAE [MW]", 2.5, (2.0, 3.0))}
    cold = {one.stage: one.cold_start_cpu_s for one in filled.records if one.cold_start_cpu_s}
    assert cold == {"inference": 0.2}


def test_record_by_hand() -> None:
    measurement = dataclasses.replace(
        work(2, children_s=1), rel_spread=0.1, n_repeats=7, n_blocks=4, rss_peak_bytes=99
    )
    record = ledger(pue=1.2).add("training", measurement, rung="ridge", model_id="m", note="why")
    dynamic, idle = 3 * 0.6 * 4, 2 * 0.2 * 4  # [J]: 3 CPU-s, 2 s of one thread, 4 W per thread
    kwh = (dynamic + idle) / 3.6e6 * 1.2
    assert (record.run_id, record.project_name, record.dataset_id) == ("r1", "load", "abc")
    assert (record.stage, record.rung, record.model_id) == ("training", "ridge", "m")
    assert (record.n_repeats, record.n_blocks, record.cpu_time_rel_spread) == (7, 4, 0.1)
    assert (record.cpu_time_s, record.children_cpu_time_s, record.duration) == (3, 1, 2)
    assert record.energy_dynamic_J == pytest.approx(dynamic)
    assert record.energy_idle_share_J == pytest.approx(idle)
    assert record.energy_J_p05 == pytest.approx((dynamic + idle) / 2.5)
    assert record.energy_J_p95 == pytest.approx((dynamic + idle) * 2.5)
    assert record.cpu_energy == record.energy_consumed == pytest.approx(kwh)
    assert record.ram_energy == 0
    assert record.emissions == pytest.approx(kwh * 56.039 / 1000)
    assert record.emissions_low_kg == pytest.approx(kwh * 21.7 / 1000)
    assert record.emissions_high_kg == pytest.approx(kwh * 98 / 1000)
    assert (record.energy_method, record.quality) == ("cpu_time_model", "low")
    assert (record.country_iso_code, record.pue, record.intensity_year_or_time) == (
        "FRA",
        1.2,
        "2023",
    )
    assert (record.cpu_model, record.cpu_count, record.hardware_default) == ("AMD EPYC", 2, True)
    assert (record.rss_peak_bytes, record.note) == (99, "why")
    booked = datetime.fromisoformat(record.timestamp)
    assert abs((datetime.now(UTC) - booked).total_seconds()) < 60


def test_no_scenarios_where_no_source_gives_them() -> None:
    record = ledger("POL").add("training", work(1))
    assert record.emissions_low_kg is None
    assert record.emissions_high_kg is None


@pytest.mark.parametrize(
    ("stage", "rung", "cpu_s"),
    [
        (None, None, 16),
        ("training", None, 6),
        (None, "boosting", 13),
        ("training", "boosting", 4),
        ("storage", None, 0),
        (None, "", 1),
    ],
)
def test_totals(filled: Ledger, stage: Stage | None, rung: str | None, cpu_s: float) -> None:
    assert filled.total(stage, rung).cpu_s == pytest.approx(cpu_s)


def test_total_is_the_sum_of_the_records(filled: Ledger) -> None:
    total = filled.total()
    assert total.co2e_g == pytest.approx(1000 * sum(one.emissions for one in filled.records))
    assert total.energy_wh == pytest.approx(
        1000 * sum(one.energy_consumed for one in filled.records)
    )
    assert total.energy_wh == pytest.approx(
        (total.energy_dynamic_j + total.energy_idle_j) / 3600 * 1.2
    )
    assert total.co2e_dynamic_g == pytest.approx(total.energy_dynamic_j / 3.6e6 * 1.2 * 56.039)


def test_every_stage_can_be_booked_and_no_other() -> None:
    book = ledger()
    for stage in STAGES:
        book.add(stage, work(1))
    assert len(book.records) == len(STAGES) == 15
    with pytest.raises(CostError, match="expected a stage of data, features"):
        book.add("coffee", work(1))  # type: ignore[arg-type]  # what a caller may not do
    with pytest.raises(CostError, match="cpu_s"):
        book.add("data", work(-1))
    assert len(book.records) == 15


def test_file_round_trip(filled: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("an older ledger")
    filled.write(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["stage"] for line in lines] == ["data", "training", "training", "tuning"]
    assert len({line["record_id"] for line in lines}) == 4
    assert read_ledger(path) == filled.records
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_folder_that_cannot_be_written(filled: Ledger, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"ledger\.jsonl: cannot be written"):
        filled.write(tmp_path / "absent" / "ledger.jsonl")


def test_disk_full_leaves_nothing_behind(
    filled: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> None:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    path = tmp_path / "ledger.jsonl"
    path.write_text("an older ledger")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        filled.write(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.jsonl"]
    assert path.read_text() == "an older ledger"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"record_version": 1, "stage"', "ledger.jsonl:2: expected a record in JSON"),
        ("[]", "ledger.jsonl:2: expected a record of version 2 or 1"),
        ('{"record_version": 3}', "ledger.jsonl:2: expected a record of version 2 or 1"),
        ('{"record_version": 1, "colour": "red"}', "missing or unknown: .*colour"),
    ],
)
def test_line_that_is_no_record(filled: Ledger, tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "ledger.jsonl"
    filled.write(path)
    first = path.read_text().splitlines()[0]
    path.write_text(f"{first}\n{line}\n")
    with pytest.raises(CostError, match=message):
        read_ledger(path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(CostError, match="cannot be read"):
        read_ledger(tmp_path / "absent.jsonl")
