"""Quantiles from a pipeline to its report and bundle, and the same without any."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from frugal_edge.runtime import load
from sklearn.metrics import mean_pinball_loss

from frugal_ai.accounts import RungCost
from frugal_ai.backtest.evaluate import GRAPH_MADE, evaluate
from frugal_ai.bundles import write_models
from frugal_ai.compress.chosen import original_of
from frugal_ai.cost.context import Cost, build_context
from frugal_ai.export.model import to_onnx
from frugal_ai.judge import Climbed, Judgement, judge
from frugal_ai.outcome import chosen_forecasts, run_report
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare, task
from frugal_ai.report import RunReport

STARTED = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
TWO_CLOCKS = {
    "train": "2022-10-01T00:00:00Z",
    "validation": {"first": "2023-03-01", "last": "2023-03-28", "at": ["00:00", "12:00"]},
    "test": {"first": "2023-04-01", "last": "2023-04-28", "at": ["00:00", "12:00"]},
}
CHANGES: dict[str, dict[str, Any]] = {
    "levels": {"quantiles": [0.1, 0.5, 0.9]},
    "others": {"quantiles": [0.2, 0.4], "limits": {"minimum": 2.0}},
    "none": {"quantiles": []},
    "clocks": {"periods": TWO_CLOCKS},
}


@dataclass(frozen=True)
class Run:
    """A small run."""

    path: Path
    pipeline: Pipeline
    prepared: Prepared
    judgement: Judgement

    def report(self) -> RunReport:
        return run_report(
            self.pipeline, self.path, "run-1", STARTED, "finished", self.prepared, self.judgement,
            build_context(self.pipeline.cost),
        )  # fmt: skip

    def write(self, out: Path) -> None:
        chosen = self.judgement.chosen
        assert chosen is not None
        original = original_of(chosen.climbed, self.pipeline, self.prepared)
        write_models(out, self.pipeline, self.prepared, self.report(), original, None)


@pytest.fixture(scope="module")
def runs(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Run]:
    found: dict[str, Run] = {}

    def make(name: str) -> Run:
        if name not in found:
            path = tmp_path_factory.mktemp(name) / "small.yaml"
            changes = {"rungs": [{"rung": "seasonal_naive"}, "ridge"]} | CHANGES[name]
            path.write_text(yaml.safe_dump(small_settings | changes))
            found[name] = climb(path)
        return found[name]

    return make


def climb(path: Path) -> Run:
    pipeline = read_pipeline(path)
    ready = prepare(pipeline, path.parent, {}, lambda _: None)
    climbed = []
    for grams, rung in enumerate(pipeline.rungs, start=1):
        price = Cost(**{field.name: 1e-6 * grams for field in fields(Cost)})
        cost = RungCost(fit_cpu_s=0.1, training=price, per_1000=price, latency_us=1.0, spread=0.0)
        stages: list[str] = []

        def measure(
            stage: str, work: Callable[[], Any], *, note: str = "", stages: list[str] = stages
        ) -> Any:
            stages.append(note or stage)
            return work()

        evaluation = evaluate(rung, task(pipeline, ready), measure)
        assert stages == [GRAPH_MADE, "features", "tuning", "training"]
        exported = tuple(map(to_onnx, evaluation.models))
        climbed.append(Climbed(rung, evaluation, exported, cost, STARTED))
    return Run(path, pipeline, ready, judge(climbed, pipeline, ready))


@pytest.mark.parametrize("name", ["levels", "others", "clocks"])
def test_quantiles_are_scored_on_the_test_origins(runs: Callable[[str], Run], name: str) -> None:
    made = runs(name)
    levels = made.pipeline.quantiles
    actual = made.prepared.series[0].targets(made.prepared.split.test).ravel()
    for judged, row in zip(made.judgement.rungs, made.report().rungs, strict=True):
        quantiles = judged.climbed.evaluation.test_quantiles[0].reshape(-1, len(levels))
        losses = [
            mean_pinball_loss(actual, quantiles[:, q], alpha=level)
            for q, level in enumerate(levels)
        ]
        assert row.pinball == pytest.approx(np.mean(losses))
        assert row.npinball == pytest.approx(np.mean(losses) / np.abs(actual).mean())
        assert [one.pinball for one in row.levels] == pytest.approx(losses)
        if name == "others":  # no two levels are symmetric
            assert (row.coverage, row.coverage_ci, row.sharpness) == (None, None, None)
            continue
        inside = (quantiles[:, 0] <= actual) & (actual <= quantiles[:, -1])
        assert row.coverage == pytest.approx(inside.mean())
        assert row.coverage_nominal == 0.8
        assert row.coverage_ci is not None
        assert row.coverage_ci[0] < inside.mean() < row.coverage_ci[1]
        assert row.sharpness == pytest.approx((quantiles[:, -1] - quantiles[:, 0]).mean())


def test_limits_hold_for_quantiles(runs: Callable[[str], Run]) -> None:
    for judged in runs("others").judgement.rungs:
        assert judged.climbed.evaluation.test_quantiles.min() >= 2.0


def test_origins_at_two_times_have_offsets_of_their_own(runs: Callable[[str], Run]) -> None:
    made = runs("clocks")
    evaluation = made.judgement.rungs[1].climbed.evaluation
    distance = evaluation.test_quantiles[0] - evaluation.test[0][..., None]  # [O, H, Q]
    clocks = (made.prepared.split.test // 3600 % 24 == 10).astype(int)  # noon in Paris in summer
    assert set(clocks) == {0, 1}
    night, noon = (distance[clocks == clock].mean(axis=0) for clock in (0, 1))  # [H, Q]
    # the same lead time is another time of the day
    assert np.abs(night - noon).mean() > 0.01


@pytest.mark.parametrize("name", ["levels", "others", "clocks"])
def test_a_gateway_gives_the_quantiles_of_the_backtest(
    runs: Callable[[str], Run], tmp_path: Path, name: str
) -> None:
    made = runs(name)
    made.write(tmp_path)
    forecaster = load(tmp_path / "bundle")
    assert forecaster.manifest.quantiles == made.pipeline.quantiles
    assert made.judgement.chosen is not None
    evaluation = made.judgement.chosen.climbed.evaluation
    series, model = made.prepared.series[0], evaluation.models[0]
    for k in (0, 1, -1):
        origin = made.prepared.split.test[[k]]
        seen = series.windows(origin, model.graph.reach)
        known = seen.known[0] if "known" in forecaster.manifest.inputs else None
        drift = evaluation.test_drift[0, k]
        got = forecaster.forecast(seen.history[0], int(origin[0]), known, drift=drift)
        np.testing.assert_allclose(got.point, evaluation.test[0, k], rtol=1e-5, atol=1e-5)
        expected = evaluation.test_quantiles[0, k]
        np.testing.assert_allclose(got.quantiles, expected, rtol=1e-5, atol=1e-5)


def test_without_levels_there_are_point_forecasts_alone(
    runs: Callable[[str], Run], tmp_path: Path
) -> None:
    made = runs("none")
    report = made.report()
    for row in report.rungs:
        assert (row.pinball, row.crps, row.coverage, row.levels) == (None, None, None, ())
    made.write(tmp_path)
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["quantiles"] == []
    assert [one["name"] for one in manifest["outputs"]] == ["forecast"]
    assert not any("pinball" in name for name in manifest["metrics"])
    assert "Point forecasts only." in (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    table = chosen_forecasts(made.pipeline, made.prepared, made.judgement)
    assert table is not None
    assert table.quantiles.shape[-1] == 0


def test_levels_leave_what_the_choice_rests_on_as_it_is(runs: Callable[[str], Run]) -> None:
    for one, other in zip(
        runs("levels").judgement.rungs, runs("none").judgement.rungs, strict=True
    ):
        mine, its = one.climbed.evaluation, other.climbed.evaluation
        np.testing.assert_array_equal(mine.validation, its.validation)
        if one.climbed.rung.family == "naive":
            np.testing.assert_array_equal(mine.test, its.test)
        else:  # the forecast is the median
            np.testing.assert_array_equal(mine.test, mine.test_quantiles[..., 1])
