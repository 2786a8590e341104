from pathlib import Path

import pytest

from frugal_ai.report import RungRow, RunReport


@pytest.fixture(scope="session")
def report() -> RunReport:
    return RunReport.read(Path(__file__).parents[1] / "report")


@pytest.fixture(scope="session")
def rows(report: RunReport) -> list[RungRow]:
    return report.rows()
