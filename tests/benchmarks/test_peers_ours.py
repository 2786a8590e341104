"""A run of frugal-ai beside the peers: scored alike, and measured as a process."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.peers.exchange import Given, given
from benchmarks.peers.ours import Ours, read_run
from benchmarks.peers.scoring import Judge
from benchmarks.peers.workers.measure import measured
from benchmarks.peers.workers.seasonal_naive import SeasonalNaive
from frugal_ai.backtest.evaluate import GRAPH_MADE
from frugal_ai.errors import DataError
from frugal_ai.report import RunReport

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    folder: Path
    given: Given
    judge: Judge
    ours: Ours
    report: RunReport


@pytest.fixture(scope="module")
def finished(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> Finished:
    """The small pipeline through the process that the benchmark starts."""
    base = tmp_path_factory.mktemp("ours")
    shutil.copy(empty_store, base)
    path, folder = base / "small.yaml", base / "run"
    path.write_text(yaml.safe_dump(small_settings), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.peers.own", str(path), str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    one = given(path)
    naive = [measured(lambda: SeasonalNaive(days), one.task).forecast for days in (1, 7)]  # noqa: B023 - called at once
    judge = Judge(one, naive)
    return Finished(folder, one, judge, read_run(folder, one, judge), RunReport.read(folder))


def test_the_chosen_rung_scores_as_its_report_says(finished: Finished) -> None:
    ours = finished.ours
    rung = next(rung for rung in finished.report.rungs if rung.chosen)
    assert ours.chosen.rung == rung.rung
    assert ours.chosen.scored.mae.value == pytest.approx(rung.mae)
    assert ours.chosen.scored.nmae == pytest.approx(rung.nmae)
    assert ours.chosen.scored.skill.value == pytest.approx(rung.skill, abs=2e-3)
    assert ours.chosen.scored.npinball == pytest.approx(rung.npinball)
    assert ours.chosen.scored.coverage is not None
    assert ours.chosen.scored.coverage.value == pytest.approx(rung.coverage)
    assert (ours.chosen.scored.mae.low, ours.chosen.scored.mae.high) == pytest.approx(rung.mae_ci)


def test_every_linear_rung_has_a_row(finished: Finished) -> None:
    linear = [rung.rung for rung in finished.report.rungs if rung.family == "linear"]
    assert [row.rung for row in finished.ours.linear] == linear
    others = [name for name in linear if name != finished.ours.chosen.rung]
    assert [row.rung for row in finished.ours.rows] == [finished.ours.chosen.rung, *others]


def test_training_has_features_and_fit_and_trials_stand_apart(finished: Finished) -> None:
    lines = (finished.folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    row = finished.ours.chosen
    booked = [r for r in map(json.loads, lines) if r["rung"] == row.rung]
    counted = [r for r in booked if r["note"] != GRAPH_MADE]
    assert len(counted) < len(booked)

    def cpu_s(*stages: str) -> float:
        return float(sum(r["cpu_time_s"] for r in counted if r["stage"] in stages))

    assert row.train_cpu_s == pytest.approx(cpu_s("features", "training"))
    assert row.trial_cpu_s == pytest.approx(cpu_s("tuning"))
    assert 0 < row.train_cpu_s + row.trial_cpu_s < finished.ours.cpu_s
    assert row.origin_cpu_ms > 0
    assert 50 < finished.ours.peak_rss_mb < 5000
    assert 0 < finished.ours.import_wall_s < 60


def test_a_run_on_other_observations_is_refused(finished: Finished) -> None:
    given = finished.given
    other = Given(given.pipeline, given.task, given.actual + 1)
    with pytest.raises(DataError, match="expected the observations that the peers are scored on"):
        read_run(finished.folder, other, finished.judge)
