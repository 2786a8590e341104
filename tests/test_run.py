"""The whole path, small: from a pipeline file to a bundle, a leaderboard and MLflow."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frugal_edge.runtime import load

from frugal_ai.backtest.metrics import mae
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.cost.record import STORE_MADE
from frugal_ai.errors import DataError, FrugalError, OutputError
from frugal_ai.pipeline import read_pipeline
from frugal_ai.report import RunReport
from frugal_ai.report.forecasts import ForecastTable
from frugal_ai.run import Order, run
from frugal_ai.tracking import log_run

WriteSmall = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("store_beside")


@dataclass
class Listener:
    """Remembers what it heard, and interrupts before a given rung."""

    stop_before: str = ""
    rungs: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def tell(self, sentence: str) -> None:
        self.said.append(sentence)

    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        if rung == self.stop_before:
            raise KeyboardInterrupt
        assert (len(self.rungs), 4) == (done, total)
        self.rungs.append(rung)


def climb(path: Path, out: Path, listener: Listener | None = None) -> RunReport:
    order = Order(path, out, {}, f"sqlite:///{out.parent / 'mlflow.db'}")
    return run(read_pipeline(path), order, listener or Listener())


@pytest.fixture(scope="module")
def finished(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunReport]:
    folder = tmp_path_factory.mktemp("run")
    path = folder / "small.yaml"
    path.write_text(json.dumps(small_settings))  # JSON is YAML
    return folder / "out", climb(path, folder / "out")


def test_a_run_leaves_everything_that_it_promises(finished: tuple[Path, RunReport]) -> None:
    out, report = finished
    assert RunReport.read(out) == report
    assert {path.name for path in out.iterdir()} == {
        "bundle",
        "compression.csv",
        "compression.svg",
        "example",
        "forecasts.parquet",
        "leaderboard.csv",
        "leaderboard.json",
        "ledger.jsonl",
        "original",
        "pareto.svg",
        "run.json",
    }
    assert report.status == "finished"
    assert report.simulated
    assert [rung.rung for rung in report.rungs] == [
        "persistence",
        "seasonal_naive_1d",
        "basis_ridge",
        "residual_boosting",
    ]
    assert report.chosen is not None
    assert report.compression is not None
    shipped = f"{report.chosen}-{report.compression.shipped}"
    assert load(out / report.bundles[0]).manifest.rung == shipped
    assert load(out / "original").manifest.rung == report.chosen


def test_the_forecasts_of_a_run_have_the_errors_of_its_report(
    finished: tuple[Path, RunReport],
) -> None:
    out, report = finished
    table = ForecastTable.read(out)
    chosen = next(rung for rung in report.rungs if rung.chosen)
    assert (table.series_ids, table.step_s) == (("feeder_load",), 1800)
    assert table.actual.shape == (1, report.origins.test, 48)
    assert chosen.mae is not None
    assert chosen.mae == pytest.approx(mae(table.forecast, table.actual), rel=1e-12)
    assert chosen.skill == pytest.approx(1 - chosen.mae / mae(table.baseline, table.actual))
    assert table.levels == (0.1, 0.5, 0.9)
    assert np.all(np.diff(table.quantiles, axis=3) >= 0)


def test_learning_pays_on_the_simulated_feeder(finished: tuple[Path, RunReport]) -> None:
    by_name = {rung.rung: rung for rung in finished[1].rungs}
    naive, ridge = by_name["seasonal_naive_1d"], by_name["basis_ridge"]
    assert naive.skill is not None
    assert naive.skill <= 0  # against the better of day and week
    assert ridge.skill is not None
    assert ridge.skill > 0.2
    assert ridge.skill_ci is not None
    assert ridge.skill_ci[0] > 0


def test_every_cost_is_on_the_bill(finished: tuple[Path, RunReport]) -> None:
    out, report = finished
    records = read_ledger(out / "ledger.jsonl")
    stages = {record.stage for record in records}
    assert stages == {
        "data",
        "features",
        "tuning",
        "training",
        "distillation",
        "quantization",
        "deployment",
        "inference",
        "metering",
        "unattributed",
    }
    after = {"deployment", "inference", "distillation", "quantization"}
    for rung in report.rungs:
        lines = [one for one in records if one.rung == rung.rung and one.stage not in after]
        assert rung.energy_wh == pytest.approx(1000 * sum(one.energy_consumed for one in lines))
        assert {one.stage for one in lines} == {"features", "tuning", "training"}
        assert rung.co2e_g == pytest.approx(1000 * sum(one.emissions for one in lines))
    notes = {one.note for one in records if one.stage == "metering"}
    assert {"MLflow: import", "MLflow: logging"} < notes
    assert len(notes - {STORE_MADE}) == 4


def test_the_bill_says_of_what_data_and_how_good(finished: tuple[Path, RunReport]) -> None:
    out, report = finished
    records = read_ledger(out / "ledger.jsonl")
    assert {one.dataset_id for one in records} == {report.data_digest}
    for rung in report.rungs:
        trained = [one for one in records if (one.rung, one.stage) == (rung.rung, "training")]
        assert {(one.metric_name, one.metric_value) for one in trained} == {
            (f"test MAE [{report.unit}]", rung.mae)
        }
        assert {one.metric_ci for one in trained} == {rung.mae_ci}
    cold = {one.rung for one in records if one.cold_start_cpu_s is not None}
    assert cold == {report.chosen}


def test_the_run_is_logged(finished: tuple[Path, RunReport]) -> None:
    out, report = finished
    assert report.mlflow is not None
    assert report.mlflow.logged
    again = log_run(out, report.mlflow.uri)
    assert again.run_id == report.mlflow.run_id  # logging twice does not log two runs


def test_two_runs_with_one_seed_are_the_same(
    finished: tuple[Path, RunReport], write_small: WriteSmall, tmp_path: Path
) -> None:
    out, report = finished
    again = climb(write_small(), tmp_path / "again")
    measured = {"fit_cpu_s", "energy_wh", "co2e_g", "co2e_g_per_1000", "co2e_spread",
                "latency_us", "ended"}  # fmt: skip
    judged = {"verdict", "gain", "gain_ci", "over", "chosen"}  # hang on the costs, too
    for one, other in zip(report.rungs, again.rungs, strict=True):
        kept = one.model_dump(exclude=measured | judged)
        assert other.model_dump(exclude=measured | judged) == kept
    assert again.data_digest == report.data_digest
    if again.chosen == report.chosen:
        first, second = (folder / "bundle/model.onnx" for folder in (out, tmp_path / "again"))
        assert first.read_bytes() == second.read_bytes()


def test_an_interrupted_run_keeps_and_logs_what_is_finished(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    report = climb(write_small(), tmp_path / "out", Listener(stop_before="basis_ridge"))
    assert report.status == "interrupted"
    assert [rung.rung for rung in report.rungs] == ["persistence", "seasonal_naive_1d"]
    assert (report.chosen, report.bundles) == (None, ())
    assert not list((tmp_path / "out").glob("*bundle*"))
    assert report.mlflow is not None
    assert report.mlflow.logged


def test_an_interrupt_before_the_first_rung_leaves_a_report(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    report = climb(write_small(), tmp_path / "out", Listener(stop_before="persistence"))
    assert (report.status, report.rungs) == ("interrupted", ())


def test_a_store_that_cannot_be_written_does_not_end_the_run(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    path = write_small(rungs=["persistence", {"rung": "seasonal_naive", "season": "1d"}])
    (tmp_path / "taken").write_text("no database")
    uri = f"sqlite:///{tmp_path / 'taken'}/mlflow.db"
    report = run(read_pipeline(path), Order(path, tmp_path / "out", {}, uri), _Quiet())
    assert report.status == "finished"
    assert report.mlflow is not None
    assert not report.mlflow.logged
    assert "taken" in str(report.mlflow.why)
    assert (tmp_path / "out" / "bundle" / "model.onnx").exists()
    logged = log_run(tmp_path / "out", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert logged.logged
    assert RunReport.read(tmp_path / "out").mlflow == logged


class _Quiet(Listener):
    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        pass


def test_an_output_folder_that_cannot_be_written_is_refused_at_once(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/out: cannot be written: Not a directory"):
        climb(write_small(), tmp_path / "file" / "out")


def test_a_refused_run_leaves_no_empty_folder(write_small: WriteSmall, tmp_path: Path) -> None:
    path = write_small(series=["feeder_gas"])
    with pytest.raises(DataError, match="no series 'feeder_gas'"):
        climb(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_a_run_folder_is_logged(tmp_path: Path) -> None:
    with pytest.raises(FrugalError, match=r"run\.json"):
        log_run(tmp_path, None)


def test_a_budget_that_nobody_keeps_leaves_the_figures_and_no_bundle(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    rungs = ["persistence", {"rung": "seasonal_naive", "season": "1d"}]
    path = write_small(rungs=rungs, selection={"budget": {"bytes": 10}})
    report = run(read_pipeline(path), Order(path, tmp_path / "out", {}), _Quiet())
    assert (report.status, report.chosen, report.bundles) == ("finished", None, ())
    assert "budget: expected a rung within 10 bytes, got none" in report.reason
    assert len(report.rungs) == 2
    assert not (tmp_path / "out" / "bundle").exists()
    assert report.mlflow is not None
    assert report.mlflow.logged


def test_mlflow_has_the_whole_ledger(finished: tuple[Path, RunReport]) -> None:
    out, report = finished
    assert report.mlflow is not None
    logged = [
        path
        for path in (out.parent / "mlartifacts").rglob("ledger.jsonl")
        if str(report.mlflow.run_id) in str(path)
    ]
    assert [path.read_bytes() for path in logged] == [(out / "ledger.jsonl").read_bytes()]
