"""The benchmark's tasks are those of the reference, and the simplest systems score the same."""

import csv
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from frugal_ai import ladder
from frugal_ai.accounts import RungCost
from frugal_ai.backtest.compare import mean_error
from frugal_ai.backtest.evaluate import evaluate, unmeasured
from frugal_ai.backtest.metrics import mase_scale
from frugal_ai.cost.context import Cost
from frugal_ai.data.sources.file import Source
from frugal_ai.export.model import to_onnx
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.judge import Climbed, Judged, judge, seasonal_naive
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare
from frugal_ai.prepare import task as ladder_task
from frugal_ai.settings import format_duration

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
TASKS = ("T1", "T2", "T5", "T6", "T8", "T9")
KINDS = {"load": "load", "wind": "wind", "solar": "pv"}
pytestmark = pytest.mark.skipif(
    not (SHARED / "bench" / "tasks.yaml").is_file() or not (SHARED / "data").is_dir(),
    reason="the folder shared with data and bench is not beside the repository",
)
FREE = Cost(*[0.0] * 7)


def declared(task: str) -> Pipeline:
    return read_pipeline(ROOT / "benchmarks" / "tasks" / f"{task}.yaml")


def reference(task: str) -> dict[str, Any]:
    content = yaml.safe_load((SHARED / "bench" / "tasks.yaml").read_text(encoding="utf-8"))
    merged: dict[str, Any] = content["defaults"] | content["tasks"][task]
    return merged


def peer(task: str, system: str) -> dict[str, float]:
    """Reference figures of a system, those that are given."""
    with (SHARED / "bench" / "peers.csv").open(encoding="utf-8") as file:
        row = next(
            row for row in csv.DictReader(file) if (row["task"], row["system"]) == (task, system)
        )
    return {k: float(v) for k, v in row.items() if v and k not in {"task", "system"}}


@cache
def ready(task: str) -> Prepared:
    folder = ROOT / "benchmarks" / "tasks"
    return prepare(declared(task), folder, {}, lambda _: None)


def test_every_task_file_is_compared() -> None:
    files = {path.stem for path in (ROOT / "benchmarks" / "tasks").glob("*.yaml")}
    assert files == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_the_task_is_the_references(task: str) -> None:
    ours, theirs = declared(task), reference(task)
    assert list(ours.series) == theirs["series"]
    assert format_duration(ours.step) == theirs["step"]
    assert ours.steps == theirs["horizon"]
    assert (ours.kind, ours.holidays) == (KINDS[theirs["kind"]], theirs.get("holidays"))
    assert ours.timezone == theirs["calendar_tz"] == theirs["origins"]["tz"]
    assert isinstance(ours.source, Source)
    weather = [theirs["weather_file"]] if "weather_file" in theirs else []
    assert ours.source.path.name == theirs["file"]
    assert [table.path.name for table in ours.source.covariates] == weather
    start = datetime.fromisoformat(theirs["train_start"]).replace(tzinfo=UTC)
    assert ours.periods.train == start
    # holidays are the calendar's, not a covariate
    known = [name for name in theirs["known_future"] if name != "holiday"]
    assert sorted(ours.covariates.known) == sorted(known)
    assert list(ours.covariates.past) == theirs["past"]
    assert ours.metrics.nmae == theirs["nmae_denominator"].removesuffix("_y_test")
    assert ours.metrics.capacity == theirs.get("capacity")
    lowest, highest = theirs.get("clip", [None, None])
    assert ours.limits.minimum == lowest
    # production is held to its installed capacity, which is far below the reference's 100 GW
    follows = isinstance(ours.site.capacity, str)
    assert ours.limits.maximum == (None if follows else highest)


@pytest.mark.parametrize("task", TASKS)
def test_the_task_leaves_recipe_and_rungs_to_its_kind(task: str) -> None:
    path = ROOT / "benchmarks" / "tasks" / f"{task}.yaml"
    assert not {"recipe", "rungs"} & set(yaml.safe_load(path.read_text(encoding="utf-8")))
    ours, grid = declared(task), ready(task).grids[0]
    recipe = ours.features
    read = FeatureGraph((*recipe.features, *recipe.basis), grid).reach.known
    assert read == set(ours.covariates.known) | set(grid.known_names)  # all of them are used


@pytest.mark.parametrize("task", TASKS)
def test_the_test_origins_are_the_references(task: str) -> None:
    ours, theirs = declared(task), reference(task)["origins"]
    test = ours.periods.test
    assert test.first == date.fromisoformat(theirs["first"])
    assert test.last == date.fromisoformat(theirs["last"])
    assert [f"{at:%H:%M}" for at in test.at] == [theirs["local_time"]]
    origins = ready(task).split.test
    assert len(origins) == theirs["n"]
    assert ours.periods.validation.last < test.first
    hours = {datetime.fromtimestamp(int(origin), UTC).hour for origin in origins}
    # local midnight in Paris is 22:00 UTC in summer, 23:00 in winter
    clock = int(theirs["local_time"][:2])
    assert hours == ({22, 23} if theirs["tz"] == "Europe/Paris" else {clock})


@pytest.mark.parametrize("task", TASKS)
def test_the_better_seasonal_naive_is_the_references(task: str) -> None:
    prepared, expected = ready(task), peer(task, "seasonal naive (day)")
    origins = prepared.split.test
    actual = np.stack([series.targets(origins) for series in prepared.series])
    baseline = seasonal_naive(prepared, origins, actual)
    mae = mean_error(baseline.errors)
    assert mae == pytest.approx(expected["MAE"], rel=1e-3)
    if len(prepared.series) > 1:
        return  # of several series the scale cannot be told from the averages
    first = prepared.panel.index(int(origins[0]))
    scale = mase_scale(prepared.panel.values[:, :first], 86400 // prepared.panel.step_s)
    assert float(scale[0]) == pytest.approx(expected["MAE"] / expected["MASE"], rel=1e-3)


@cache
def judged(task: str) -> tuple[Judged, ...]:
    """Both seasonal naives, through backtest and judgement as in a run, at no cost."""
    pipeline, prepared = declared(task), ready(task)
    cost = RungCost(fit_cpu_s=0.0, training=FREE, per_1000=FREE, latency_us=0.0, spread=0.0)
    climbed = []
    for season in ("1d", "7d"):
        rung = ladder.make({"rung": "seasonal_naive", "season": season})
        found = evaluate(rung, ladder_task(pipeline, prepared), unmeasured)
        climbed.append(Climbed(rung, found, tuple(map(to_onnx, found.models)), cost, 0))
    return judge(climbed, pipeline, prepared).rungs


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("row", "system"), [(0, "day"), (1, "week")])
def test_figures_of_the_seasonal_naives_are_the_references(
    task: str, row: int, system: str
) -> None:
    expected, one = peer(task, f"seasonal naive ({system})"), judged(task)[row]
    assert one.score.mae == pytest.approx(expected["MAE"], rel=1e-3)
    assert one.score.rmse == pytest.approx(expected["RMSE"], rel=1e-3)
    assert 100 * one.score.nmae == pytest.approx(expected["nMAE_pct"], rel=1e-3)
    assert one.score.mase == pytest.approx(expected["MASE"], rel=1e-3)
    assert one.skill.value == pytest.approx(expected["skill"], rel=1e-3, abs=1e-6)
