"""Two months of 15-minute load of a substation, as dirty as they come: simulated for this test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from frugal_edge.runtime import load

from frugal_ai.pipeline import read_pipeline
from frugal_ai.report import RunReport
from frugal_ai.run import Order, run

pytestmark = pytest.mark.usefixtures("store_beside")

START, DAYS = datetime(2024, 2, 11, 23, tzinfo=UTC), 61  # over the change to summer time
PERIODS: dict[str, Any] = {
    "train": "2024-02-12",
    "validation": {"first": "2024-03-16", "last": "2024-03-29"},
    "folds": 2,
    "test": {"first": "2024-03-31", "last": "2024-04-11"},
}


def simulated_substation() -> pl.DataFrame:
    """Simulate a net load with its faults: PV below zero, zeros, stuck values, a step, a gap."""
    rng = np.random.default_rng(0)
    steps = np.arange(DAYS * 96)
    hour = steps / 4 % 24
    cloud = np.repeat(rng.uniform(0.8, 1.0, DAYS), 96)
    demand = 3 + np.cos(2 * np.pi * (hour - 19) / 24) - 0.6 * (steps // 96 % 7 >= 5)
    sun = np.clip(np.sin(np.pi * (hour - 6) / 12), 0, None) * cloud
    panels = np.where(steps < 35 * 96, 4.0, 7.0)  # capacity that is added in one day [MW]
    net = demand - panels * sun + rng.normal(0, 0.15, len(steps))
    net[8 * 96 : 9 * 96] = 0.0  # a meter that reports zero for a day
    net[20 * 96 : 21 * 96 + 40] = net[20 * 96]  # a value that stands still
    frame = pl.DataFrame({
        "timestamp": [START + timedelta(minutes=15 * k) for k in steps.tolist()],
        "value": net,
    })  # fmt: skip
    return frame.filter(~pl.int_range(pl.len()).is_between(1000, 1010))  # and eleven are lost


@pytest.fixture
def declare(write_small: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    frame = simulated_substation()
    frame.with_columns(series_id=pl.lit("substation")).write_parquet(tmp_path / "net.parquet")
    path = write_small()

    def write(**changes: Any) -> Path:
        import yaml

        declared = yaml.safe_load(path.read_text())
        for key in ("recipe", "rungs", "covariates", "source"):
            declared.pop(key)
        declared |= {
            "source": {"name": "file", "path": "net.parquet"},
            "series": ["substation"],
            "step": "15min",
            "periods": PERIODS,
            "quality": {"flatline": "1d"},
        }
        target = tmp_path / "substation.yaml"
        target.write_text(yaml.safe_dump(declared | changes))
        return target

    return write


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []

    def tell(self, sentence: str) -> None:
        self.said.append(sentence)

    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        pass


def climb(path: Path, out: Path) -> tuple[RunReport, list[str]]:
    heard = Heard()
    report = run(read_pipeline(path), Order(path, out, {}), heard)
    return report, heard.said


def test_the_default_ladder_ends_in_a_bundle_and_says_what_it_found(
    declare: Callable[..., Path], tmp_path: Path
) -> None:
    assert simulated_substation()["value"].min() < 0  # type: ignore[operator]
    report, said = climb(declare(), tmp_path / "out")
    assert report.chosen is not None
    assert load(tmp_path / "out" / report.bundles[0]).manifest.rung == report.chosen
    assert report.not_run == ()
    assert {rung.family for rung in report.rungs} == {"naive", "linear", "boosting"}
    for found in (
        " values, 11 missing",
        "longest gap 11 steps",
        "stuck for 136 steps (34h) from 2024-03-02T23:00:00Z, the longest of 2 times",
        "stuck at zero for 96 steps (1d) in all",
    ):
        assert any(found in sentence for sentence in said), (found, said)


def test_rungs_are_left_out_where_history_is_shorter_still(
    declare: Callable[..., Path], tmp_path: Path
) -> None:
    later = PERIODS | {"train": "2024-03-01", "folds": 1}
    report, said = climb(declare(periods=later), tmp_path / "out")
    assert report.chosen is not None
    assert {left.rung for left in report.not_run} == {"ridge", "basis_ridge", "residual_boosting"}
    for left in report.not_run:
        assert left.why == "unsupported"
        assert "expected at least 28 training origins, got" in left.reason
        assert f"rung {left.rung} is left out: {left.reason}" in said
