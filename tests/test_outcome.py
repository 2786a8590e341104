"""What a run leaves behind: its report, a bundle for each series, and input files to try one."""

import csv
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from frugal_edge.cli import main as edge
from frugal_edge.runtime import load

from frugal_ai.accounts import RungCost
from frugal_ai.backtest.evaluate import Evaluation, evaluate, unmeasured
from frugal_ai.backtest.windows import Series
from frugal_ai.bundles import write_models
from frugal_ai.compress.chosen import original_of
from frugal_ai.cost.context import Cost, CostContext, build_context
from frugal_ai.data.panel import FloatArray, Panel
from frugal_ai.errors import OutputError
from frugal_ai.export.model import to_onnx
from frugal_ai.features.graph import Windows
from frugal_ai.judge import Climbed, Judgement, judge
from frugal_ai.ladder.rung import Rung
from frugal_ai.outcome import Status, _targets_digest, run_report
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare, task
from frugal_ai.report import RunReport

STARTED = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp())
ENDED = STARTED + 60
SERIES = ["feeder_load", "feeder_wind"]
CHEAP, DEAR = 1.0, 2.0  # grams
LEADS = [(0, 3600), (3600, 21600), (21600, 86400)]  # of a day in half hours


def cost(grams: float) -> RungCost:
    training = Cost(3.0, 3.0, 2 * grams, grams, 0.02, grams + 0.5, grams)
    return RungCost(0.25, training, Cost(0.1, 0.1, 0.2, 0.1, 0.0, 1e-4, 1e-5), 12.5, 0.1)


@dataclass(frozen=True)
class Climb:
    """A finished ladder on two series."""

    path: Path
    pipeline: Pipeline
    prepared: Prepared
    context: CostContext
    climbed: tuple[Climbed, ...]

    @property
    def judgement(self) -> Judgement:
        return judge(self.climbed, self.pipeline, self.prepared)

    def report(self, status: Status = "finished", **changes: Any) -> RunReport:
        given: dict[str, Any] = {"prepared": self.prepared, "judgement": self.judgement} | changes
        return run_report(
            self.pipeline, self.path, "run-1", STARTED, status, context=self.context, **given
        )

    def write(self, out: Path) -> tuple[tuple[str, ...], RunReport]:
        report = self.report()
        chosen = self.judgement.chosen
        assert chosen is not None
        original = original_of(chosen.climbed, self.pipeline, self.prepared)
        written = write_models(out, self.pipeline, self.prepared, report, original, None)
        return written.bundles, report

    def first_series(self) -> "Climb":
        """The same for the first series alone."""
        ready = self.prepared
        one = replace(ready, series=ready.series[:1], grids=ready.grids[:1])
        climbed = tuple(
            replace(each, evaluation=head(each.evaluation), exported=each.exported[:1])
            for each in self.climbed
        )
        panel = replace(ready.panel, **slices(ready.panel))
        series = (replace(ready.series[0], panel=panel),)
        pipeline = self.pipeline.model_copy(update={"series": self.pipeline.series[:1]})
        one = replace(one, panel=panel, series=series)
        return replace(self, pipeline=pipeline, prepared=one, climbed=climbed)


def head(found: Evaluation) -> Evaluation:
    return Evaluation(
        found.validation[:1],
        found.test[:1],
        found.test_quantiles[:1],
        found.test_drift[:1],
        found.models[:1],
    )


def slices(panel: Panel) -> dict[str, Any]:
    arrays = {name: getattr(panel, name)[:1] for name in ("values", "known", "past", "static")}
    return {"series_ids": panel.series_ids[:1]} | arrays


def climb_rung(pipeline: Pipeline, ready: Prepared, rung: Rung) -> Climbed:
    found = evaluate(rung, task(pipeline, ready), unmeasured)
    price = cost(CHEAP if rung.rung == "seasonal_naive" else DEAR)
    return Climbed(rung, found, tuple(map(to_onnx, found.models)), price, ENDED)


@pytest.fixture(scope="module")
def climb(small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Climb:
    path = tmp_path_factory.mktemp("outcome") / "small.yaml"
    changes = {
        "series": SERIES,
        "rungs": [{"rung": "seasonal_naive"}, "ridge"],
        "recipe": {
            "features": [
                {"feature": "lag", "at": ["1d", "7d"]},
                {"feature": "known", "names": ["temperature", "wind_speed"]},
            ]
        },
    }
    path.write_text(yaml.safe_dump(small_settings | changes))
    pipeline = read_pipeline(path)
    ready = prepare(pipeline, path.parent, {}, lambda _: None)
    climbed = tuple(map(partial(climb_rung, pipeline, ready), pipeline.rungs))
    return Climb(path, pipeline, ready, build_context(pipeline.cost), climbed)


def test_the_report_of_a_finished_run(climb: Climb) -> None:
    report = climb.report()
    assert report.status == "finished"
    assert (report.chosen, report.reason) == ("ridge", climb.judgement.reason)
    assert report.started == datetime.fromtimestamp(STARTED, UTC)
    assert report.ended > report.started
    assert (report.pipeline, report.title, report.unit) == ("small", "Small pipeline", "MW")
    assert report.simulated
    assert report.data_digest == climb.prepared.panel.digest()
    assert report.targets_digest == _targets_digest(climb.prepared)
    assert report.pipeline_yaml == climb.path.read_text()
    assert (report.origins.validation, report.origins.test) == (28, 28)
    assert report.versions["numpy"] == np.__version__
    assert report.context.country == "FRA"
    assert report.context.intensity_g_per_kwh == climb.context.intensity.value
    assert report.context.energy_spread == climb.context.power.spread
    assert report.context.hardware.tdp_w == climb.context.hardware.tdp_w


def test_the_revision_is_that_of_the_pipelines_folder(
    climb: Climb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frugal_ai.outcome.git_revision", lambda folder: f"commit of {folder}")
    assert climb.report().git_revision == f"commit of {climb.path.parent}"


def test_a_rung_of_the_report(climb: Climb) -> None:
    rows = {row.rung: row for row in climb.report().rungs}
    assert list(rows) == ["seasonal_naive_1d", "ridge"]
    ridge, judged = rows["ridge"], climb.judgement.rungs[1]
    assert (rows["seasonal_naive_1d"].chosen, ridge.chosen) == (False, True)
    assert (ridge.family, ridge.params["rung"]) == ("linear", "ridge")
    assert (ridge.mae, ridge.rmse) == (judged.score.mae, judged.score.rmse)
    assert (ridge.nmae, ridge.mase) == (judged.score.nmae, judged.score.mase)
    assert (ridge.skill, ridge.validation_mae) == (judged.skill.value, judged.validation_mae)
    assert ridge.mae_ci == (judged.mae.low, judged.mae.high)
    for name, one in judged.intervals.items():
        assert getattr(ridge, f"{name}_ci") == (one.low, one.high), name
    parts = ridge.mae_by_lead
    assert [one.lead for one in parts] == LEADS
    assert np.average([one.mae for one in parts], weights=[one.points for one in parts]) == (
        pytest.approx(ridge.mae)
    )
    assert [one.mae_ci for one in parts] == [(one.mae.low, one.mae.high) for one in judged.by_lead]
    assert ridge.skill_ci == (judged.skill.low, judged.skill.high)
    assert judged.verdict.gain is not None
    assert ridge.gain_ci == (judged.verdict.gain.low, judged.verdict.gain.high)
    assert (ridge.verdict, ridge.over) == ("worth it", "seasonal_naive_1d")
    assert (ridge.fit_cpu_s, ridge.energy_wh, ridge.co2e_g) == (0.25, 0.02, DEAR + 0.5)
    assert (ridge.co2e_g_per_1000, ridge.latency_us, ridge.co2e_spread) == (1e-4, 12.5, 0.1)
    assert ridge.bytes == sum(len(model.content) for model in judged.climbed.exported)
    assert ridge.ended == datetime.fromtimestamp(ENDED, UTC)
    baseline = rows["seasonal_naive_1d"]
    assert (baseline.verdict, baseline.gain, baseline.gain_ci) == ("baseline", None, None)


def test_an_interrupted_run_has_chosen_nothing(climb: Climb) -> None:
    report = climb.report("interrupted")
    assert (report.status, report.chosen, report.reason) == ("interrupted", None, "")
    assert [row.chosen for row in report.rungs] == [False, False]
    assert report.rungs[1].mae == climb.report().rungs[1].mae  # what was found is kept
    nothing = climb.report("interrupted", judgement=None)
    assert (nothing.rungs, nothing.chosen) == ((), None)


@pytest.mark.parametrize("status", ["finished", "interrupted"])
def test_a_report_is_read_as_it_was_written(climb: Climb, tmp_path: Path, status: Status) -> None:
    report = climb.report(status)
    report.write(tmp_path)
    assert RunReport.read(tmp_path) == report


def test_intervals_that_are_not_known_are_left_out(climb: Climb, tmp_path: Path) -> None:
    split = climb.prepared.split
    few = replace(split, validation=split.validation[:5], test=split.test[:5])
    climbed = tuple(
        replace(one, evaluation=replace(
            one.evaluation,
            validation=one.evaluation.validation[:, :5],
            test=one.evaluation.test[:, :5],
            test_quantiles=one.evaluation.test_quantiles[:, :5],
        ))
        for one in climb.climbed
    )  # fmt: skip
    report = replace(climb, prepared=replace(climb.prepared, split=few), climbed=climbed).report()
    for row in report.rungs:
        assert (row.mae_ci, row.skill_ci, row.gain_ci, row.coverage_ci) == (None,) * 4
        assert [one.mae_ci for one in row.mae_by_lead] == [None] * 3
    assert report.rungs[1].gain is not None
    report.write(tmp_path)
    assert RunReport.read(tmp_path) == report


def test_each_of_several_series_has_a_bundle_of_its_own(climb: Climb, tmp_path: Path) -> None:
    folders, report = climb.write(tmp_path)
    assert folders == ("bundle/feeder_load", "bundle/feeder_wind")
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "example"}
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == set(SERIES)
    seen = set()
    for i, folder in enumerate(folders):
        bundle = tmp_path / folder
        manifest = load(bundle).manifest
        assert (manifest.series_id, manifest.rung) == (SERIES[i], "ridge")
        content = climb.climbed[1].exported[i].content
        assert (bundle / "model.onnx").read_bytes() == content
        seen.add(manifest.id)
        card = (bundle / "MODEL_CARD.md").read_text()
        assert card.startswith(f"# Small pipeline: ridge for {SERIES[i]}\n")
        found = climb.climbed[1].evaluation
        outputs = climb.climbed[1].exported[i].run(windows(climb, i), found.test_drift[i])
        expected = found.test_forecasts[i]
        np.testing.assert_allclose(outputs["forecast"], expected.point, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(outputs["quantiles"], expected.quantiles, rtol=1e-4, atol=1e-5)
    assert len(seen) == 2
    assert report.chosen == "ridge"


def windows(climb: Climb, index: int) -> Windows:
    series: Series = climb.prepared.series[index]
    graph = climb.climbed[1].evaluation.models[index].graph
    return series.windows(climb.prepared.split.test, graph.reach)


def test_the_manifest_carries_the_figures_of_the_report(climb: Climb, tmp_path: Path) -> None:
    folders, report = climb.write(tmp_path)
    row = report.rungs[1]
    content = json.loads((tmp_path / folders[0] / "manifest.json").read_text())
    assert content["metrics"]["mae"] == row.mae
    assert content["metrics"]["skill_ci"] == list(row.skill_ci or ())
    assert content["metrics"]["verdict"] == "worth it"
    assert content["quantiles"] == [0.1, 0.5, 0.9]
    assert content["metrics"]["pinball"] == row.pinball
    assert content["metrics"]["coverage_ci"] == list(row.coverage_ci or ())
    assert content["metrics"]["coverage_nominal"] == 0.8
    assert [one.level for one in row.levels] == [0.1, 0.5, 0.9]
    assert content["metrics"]["origins"] == 28
    costs = content["costs"]
    assert (costs["training_energy_wh"], costs["training_co2e_g"]) == (row.energy_wh, row.co2e_g)
    assert costs["co2e_g_per_1000_forecasts"] == row.co2e_g_per_1000
    assert (costs["country"], costs["energy_method"]) == ("FRA", "cpu_time_model")
    assert costs["hardware"] == report.context.hardware.label
    assert content["mlflow"] == {"experiment": "small", "frugal_run_id": "run-1"}
    assert content["data_digest"] == report.data_digest
    assert content["git_revision"] == report.git_revision
    assert content["created"] == "2026-01-02T03:04:05Z"
    assert content["sequence"] == STARTED
    described = content["files"]["model.onnx"]["sha256"]
    written = (tmp_path / folders[0] / "model.onnx").read_bytes()
    assert described == hashlib.sha256(written).hexdigest()


def test_a_single_series_has_its_bundle_in_the_folder_itself(climb: Climb, tmp_path: Path) -> None:
    folders, _ = climb.first_series().write(tmp_path)
    assert folders == ("bundle",)
    assert load(tmp_path / "bundle").manifest.series_id == "feeder_load"
    assert not (tmp_path / "bundle" / "feeder_load").exists()


def rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="") as file:
        header, *body = csv.reader(file)
    return header, body


def test_the_example_is_what_the_model_saw_at_the_last_test_origin(
    climb: Climb, tmp_path: Path
) -> None:
    climb.write(tmp_path)
    assert {path.name for path in (tmp_path / "example").iterdir()} == {"history.csv", "known.csv"}
    panel, origin = climb.prepared.panel, int(climb.prepared.split.test[-1])
    at = panel.index(origin)
    header, body = rows(tmp_path / "example" / "history.csv")
    assert header == ["series_id", "timestamp", "value"]
    assert {row[0] for row in body} == {"feeder_load"}
    assert [instant(row[1]) for row in body] == [origin - 1800 * k for k in range(336, 0, -1)]
    values = np.array([float(row[2]) for row in body])
    np.testing.assert_allclose(values, panel.values[0, at - 336 : at], rtol=1e-6)
    header, body = rows(tmp_path / "example" / "known.csv")
    assert header == ["series_id", "timestamp", "temperature", "wind_speed"]
    assert [instant(row[1]) for row in body] == [origin + 1800 * k for k in range(48)]
    known = np.array([[float(cell) for cell in row[2:]] for row in body])
    np.testing.assert_allclose(known, panel.known[0, at : at + 48], rtol=1e-5, atol=1e-5)


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_a_gateway_makes_the_backtests_forecast_of_the_example(
    climb: Climb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders, _ = climb.write(tmp_path)
    example = tmp_path / "example"
    files = ["--history", str(example / "history.csv"), "--known", str(example / "known.csv")]
    assert edge(["forecast", str(tmp_path / folders[0]), *files, "--json"]) == 0
    values = numbers(json.loads(capsys.readouterr().out))
    one = climb.climbed[1].exported[0].run(windows(climb, 0))  # without drift, as no state is kept
    np.testing.assert_allclose(values, one["forecast"][-1], rtol=1e-5)


def numbers(answer: dict[str, Any]) -> FloatArray:
    found = next(one for one in answer.values() if isinstance(one, list) and len(one) == 48)
    return np.array([one["value"] if isinstance(one, dict) else one for one in found])


def test_a_model_without_covariates_has_no_file_of_them(climb: Climb, tmp_path: Path) -> None:
    alone = replace(climb, climbed=climb.climbed[:1])
    alone.write(tmp_path)
    assert [path.name for path in (tmp_path / "example").iterdir()] == ["history.csv"]
    _, body = rows(tmp_path / "example" / "history.csv")
    assert len(body) == 48


@pytest.mark.parametrize("taken", ["bundle", "example"])
def test_a_folder_that_cannot_be_made_is_said(climb: Climb, tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("a file")
    with pytest.raises(OutputError, match=rf"{taken}.*: cannot be written: "):
        climb.write(tmp_path)
    assert (tmp_path / taken).read_text() == "a file"


def test_the_chosen_rung_is_written_although_another_is_better_in_the_test(
    climb: Climb, tmp_path: Path
) -> None:
    naive, ridge = climb.climbed
    worse = replace(ridge.evaluation, test=ridge.evaluation.test + 1e3)
    changed_ = replace(climb, climbed=(naive, replace(ridge, evaluation=worse)))
    report = changed_.report()
    assert report.chosen == "ridge"
    maes = {row.rung: row.mae or np.inf for row in report.rungs}
    assert maes["seasonal_naive_1d"] < maes["ridge"]
    folders, _ = changed_.write(tmp_path)
    assert load(tmp_path / folders[0]).manifest.rung == "ridge"
