from pathlib import Path
from typing import Any

import pytest

from frugal_ai.report import RunReport
from frugal_ai.report.compression import CandidateReport, CompressionReport
from frugal_ai.report.gates import failed_gates


@pytest.fixture
def report() -> RunReport:
    return RunReport.read(Path(__file__).parent)


def compressed(misses: tuple[str, ...]) -> CompressionReport:
    figures: dict[str, Any] = dict.fromkeys(
        ("bytes", "latency_us", "cpu_us", "energy_mwh_per_1000", "co2e_g_per_1000", "retained",
         "retained_least", "co2e_g", "parameters", "tree_nodes"), 1,
    )  # fmt: skip
    shipped = CandidateReport(kind="original", verdict="shipped", misses=misses, **figures)
    return CompressionReport(
        original="ridge", keep=0.99, keep_each=0.9, shipped="original", reason="", co2e_g=0.0,
        cpu_s=0.0, candidates=(shipped,),
    )  # fmt: skip


def with_skill(report: RunReport, low: float, high: float) -> RunReport:
    rungs = tuple(
        rung.model_copy(update={"skill_ci": (low, high)}) if rung.chosen else rung
        for rung in report.rungs
    )
    return report.model_copy(update={"rungs": rungs})


def test_a_model_that_passes_all(report: RunReport) -> None:
    assert failed_gates(report) == ()
    assert failed_gates(report.model_copy(update={"compression": compressed(())})) == ()


def test_what_is_shipped_misses_a_gate_of_the_pipeline(report: RunReport) -> None:
    missed = report.model_copy(update={"compression": compressed(("900 bytes, more than 800",))})
    assert failed_gates(missed) == ("original: 900 bytes, more than 800",)


def test_worse_than_the_seasonal_naive_beyond_doubt(report: RunReport) -> None:
    assert failed_gates(with_skill(report, -0.2, 0.0)) == ()
    assert failed_gates(with_skill(report, -0.2, -0.01)) == (
        "skill -0.200 to -0.010 on the test: worse than the seasonal naive",
    )


def test_nothing_chosen(report: RunReport) -> None:
    rungs = tuple(rung.model_copy(update={"chosen": False}) for rung in report.rungs)
    cut = report.model_copy(update={"rungs": rungs, "chosen": None})
    assert failed_gates(cut) == ("the run has chosen nothing",)
