import dataclasses
import json
import multiprocessing
from pathlib import Path

import pytest

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import CostSettings, build_context
from frugal_ai.cost.hardware import Host
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.ledger_file import append_ledger, read_ledger, read_lines, write_ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.record import Record
from frugal_ai.errors import CostError, OutputError

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")
WRITERS, ROUNDS, LINES = 4, 25, 3


def records(run_id: str, count: int, note: str = "") -> tuple[Record, ...]:
    book = Ledger(build_context(CostSettings(country="FRA"), HOST), run_id, "load")
    for _ in range(count):
        book.add("training", Measurement.once(Reading(1.0, 0.0, 1.0)), rung="ridge", note=note)
    return book.records


def append_often(path: Path, run_id: str) -> None:
    for number in range(ROUNDS):
        # long lines, so that a write without a lock would be torn
        append_ledger(records(f"{run_id}-{number}", LINES, note="x" * 20_000), path)


def test_runs_that_write_at_once_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=append_often, args=(path, f"run{number}"))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    read = read_lines(path)
    assert read.problems == ()
    assert len(read.records) == WRITERS * ROUNDS * LINES
    assert len({one.record_id for one in read.records}) == WRITERS * ROUNDS * LINES
    # the lines of one write stand together
    runs = [one.run_id for one in read.records]
    assert all(len(set(runs[at : at + LINES])) == 1 for at in range(0, len(runs), LINES))


@pytest.mark.parametrize("cut", [1, 200, 1500])
def test_line_cut_in_half_is_told_and_the_rest_is_read(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(records("r1", 3), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut] if cut > 1 else whole[:-2])
    append_ledger(records("r2", 2), path)
    read = read_lines(path)
    assert [one.run_id for one in read.records] == ["r1", "r1", "r2", "r2"]
    assert len(read.problems) == 1
    assert read.problems[0].startswith(f"{path}:3: expected a record in JSON")
    with pytest.raises(CostError, match=r"ledger\.jsonl:3: expected a record"):
        read_ledger(path)


def test_line_without_its_end_but_whole_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(records("r1", 1), path)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    append_ledger(records("r2", 1), path)
    assert [one.run_id for one in read_ledger(path)] == ["r1", "r2"]


def test_bytes_that_are_no_text_are_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_ledger(records("r1", 1), path)
    path.write_bytes(b'{"record_version\xff\xfe\n' + path.read_bytes())
    read = read_lines(path)
    assert len(read.records) == 1
    assert read.problems[0].startswith(f"{path}:1: ")


def test_nothing_before_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    append_ledger(records("r1", 2), path)
    before = path.read_bytes()
    append_ledger(records("r2", 2), path)
    assert path.read_bytes().startswith(before)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"ledger\.jsonl: cannot be written"):
        append_ledger(records("r1", 1), tmp_path / "absent" / "ledger.jsonl")


def test_record_of_version_one_is_read(tmp_path: Path) -> None:
    (now,) = records("r1", 1)
    optional = [one.name for one in dataclasses.fields(Record)
                if one.default is not dataclasses.MISSING]  # fmt: skip
    old = {k: v for k, v in dataclasses.asdict(now).items() if k not in optional}
    old["record_version"] = 1
    old["intensity_year"] = int(old.pop("intensity_year_or_time"))
    path = tmp_path / "ledger.jsonl"
    path.write_text(json.dumps(old) + "\n")
    (read,) = read_ledger(path)
    assert read.record_version == 2
    assert read.intensity_year_or_time == "2023"
    assert (read.experiment_id, read.emissions) == ("load", now.emissions)


def test_codecarbons_names_and_units() -> None:
    """Fields that CodeCarbon has, too, are called as there and mean the same."""
    from codecarbon.output_methods.emissions_data import EmissionsData

    theirs = {one.name for one in dataclasses.fields(EmissionsData)}
    ours = {one.name for one in dataclasses.fields(Record)}
    shared = {
        "timestamp", "project_name", "run_id", "experiment_id", "duration", "emissions",
        "emissions_rate", "cpu_power", "gpu_power", "ram_power", "cpu_energy", "gpu_energy",
        "ram_energy", "energy_consumed", "water_consumed", "country_iso_code", "region",
        "on_cloud", "os", "python_version", "codecarbon_version", "cpu_count", "cpu_model",
        "ram_total_size", "tracking_mode", "pue", "wue",
    }  # fmt: skip
    assert shared <= theirs
    assert shared <= ours
    (one,) = records("r1", 1)
    assert one.cpu_power == pytest.approx(one.energy_dynamic_J + one.energy_idle_share_J)
    assert one.emissions_rate == pytest.approx(one.emissions / one.duration)
