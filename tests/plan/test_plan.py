"""What is expected of a run, from ledgers that are written by hand and by a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from frugal_ai.commands.plan import plan
from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import build_context
from frugal_ai.cost.ledger import Ledger, Size
from frugal_ai.cost.ledger_file import append_ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.record import STORE_MADE, Stage
from frugal_ai.pipeline import read_pipeline
from frugal_ai.plan.plan import Line, Plan, make_plan
from frugal_ai.prepare import prepare, split_of
from frugal_ai.size import bare_grid, size_of

WriteSmall = Callable[..., Path]


@pytest.fixture
def path(write_small: WriteSmall) -> Path:
    return write_small()


def sizes(path: Path) -> dict[str, Size]:
    pipeline = read_pipeline(path)
    split = split_of(pipeline)
    grid = bare_grid(pipeline, split)
    return {rung.name: size_of(pipeline, rung, grid, split) for rung in pipeline.rungs}


def booked(
    path: Path, run: str, lines: dict[tuple[str, Stage], float], pipeline: str = "small",
    by: float = 1.0, cpu: str | None = None,
) -> Path:  # fmt: skip
    """Append a run to the ledger beside the pipeline; `by` multiplies the rows."""
    settings = read_pipeline(path).cost
    if cpu:
        settings = settings.model_copy(
            update={"hardware": settings.hardware.model_copy(update={"cpu": cpu})}
        )
    book = Ledger(build_context(settings), run, pipeline)
    known = sizes(path)
    for (rung, stage), cpu_s in lines.items():
        size = known.get(rung)
        if size:
            size = Size(int(size.rows * by), size.features)
        book.add(stage, Measurement.once(Reading(cpu_s, 0, cpu_s)), rung=rung, size=size)
    ledger = path.parent / "ledger.jsonl"
    append_ledger(book.records, ledger)
    return ledger


ONE: dict[tuple[str, Stage], float] = {
    ("", "data"): 1.0,
    ("basis_ridge", "training"): 2.0,
    ("basis_ridge", "tuning"): 4.0,
    ("basis_ridge", "distillation"): 8.0,
    ("", "metering"): 16.0,
}


def lines(made: Plan) -> dict[str, Line]:
    return {one.what: one for one in made.lines}


def cpu_s(line: Line) -> float:
    assert line.cost is not None
    return line.cost.cpu_s


def test_size_without_data_is_that_of_a_run(path: Path) -> None:
    pipeline = read_pipeline(path)
    ready = prepare(pipeline, path.parent, {}, lambda _: None)
    found = {r.name: size_of(pipeline, r, ready.grids[0], ready.split) for r in pipeline.rungs}
    assert found == sizes(path)
    assert found["basis_ridge"].features > found["persistence"].features


def test_the_same_run_again(path: Path) -> None:
    ledger = booked(path, "r1", ONE)
    booked(path, "r2", {key: 3 * value for key, value in ONE.items()})
    made = make_plan(path, ledger)
    found = lines(made)
    assert cpu_s(found["basis_ridge"]) == pytest.approx(12)
    assert (found["basis_ridge"].basis, found["basis_ridge"].runs) == ("same", 2)
    assert cpu_s(found["compression"]) == pytest.approx(16)
    assert cpu_s(found["data"]) == pytest.approx(2)
    assert found["persistence"].basis == "unknown"
    assert made.total.cpu_s == pytest.approx(12 + 16 + 2 + 32)
    assert "persistence" in made.unknown
    assert made.eur == pytest.approx(made.total.energy_wh / 1000 * 0.2016)


def test_what_one_run_does_for_all_is_not_expected_again(path: Path) -> None:
    ledger = booked(path, "r1", ONE)
    once = Ledger(build_context(read_pipeline(path).cost), "r1", "small")
    once.add("metering", Measurement.once(Reading(9.0, 0, 9.0)), note=STORE_MADE)
    append_ledger(once.records, ledger)
    assert cpu_s(lines(make_plan(path, ledger))["metering"]) == pytest.approx(16)


def test_another_size_is_scaled_and_told(path: Path) -> None:
    found = lines(make_plan(path, booked(path, "r1", ONE, by=0.5)))
    assert cpu_s(found["basis_ridge"]) == pytest.approx(12, rel=1e-3)
    assert found["basis_ridge"].basis == "resized"
    assert "features^1 (assumed)" in found["basis_ridge"].why


def test_another_pipeline_stands_in_and_is_named(path: Path) -> None:
    found = lines(make_plan(path, booked(path, "r1", ONE, pipeline="other")))
    assert (found["basis_ridge"].basis, found["data"].basis) == ("similar", "similar")
    assert "other" in found["basis_ridge"].why


def test_other_machines_and_later_compressions_say_nothing(path: Path) -> None:
    ledger = booked(path, "r1", ONE, cpu="another")
    booked(path, "r2-compress", ONE)
    assert len(make_plan(path, ledger).unknown) == len(make_plan(path, ledger).lines)


def test_nothing_known_and_nothing_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any) -> None:
        raise AssertionError("data were read")

    monkeypatch.setattr("frugal_ai.data.sources.sample.Source.load", run)
    made = make_plan(path, path.parent / "absent.jsonl")
    assert made.total.cpu_s == 0
    assert made.eur is None
    assert {one.basis for one in made.lines} == {"unknown"}


def test_command(path: Path) -> None:
    ledger = booked(path, "r1", ONE)
    with ledger.open("a") as file:
        file.write('{"cut in ha')
    done = CliRunner().invoke(plan, [str(path), "--ledger", str(ledger)])
    assert done.exit_code == 0, done.output
    assert "total of the known" in done.output
    assert "unknown and not in the total: persistence" in done.output
    assert "not read" in done.output
    done = CliRunner().invoke(plan, [str(path), "--ledger", str(ledger), "--json"])
    found = json.loads(done.stdout)
    assert found["total"]["cpu_s"] == pytest.approx(31)
    assert found["lines"][-1]["basis"] == "unknown"
