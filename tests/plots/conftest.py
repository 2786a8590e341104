"""Forecasts whose errors are known, and a report that goes with them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import NormalDist
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from frugal_ai.plots.subject import Subject
from frugal_ai.report import RunReport
from frugal_ai.report.forecasts import ForecastTable

NEW_YEAR = datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Paris"))
Make = Callable[..., ForecastTable]


def make(
    series: int = 1,
    days: int = 28,
    steps: int = 24,
    step_s: int = 3600,
    levels: tuple[float, ...] = (0.1, 0.5, 0.9),
    first: datetime = NEW_YEAR,
) -> ForecastTable:
    """Forecasts from every local midnight, with normal errors whose quantiles are exact."""
    rng = np.random.default_rng(7)
    walls = [datetime.fromordinal(first.toordinal() + day) for day in range(days)]
    stamps = [wall.replace(tzinfo=first.tzinfo).timestamp() for wall in walls]
    origins = np.array(stamps, dtype=np.int64)
    times = origins[:, None] + step_s * np.arange(steps)
    size = 1.0 + np.arange(series)[:, None, None]
    forecast = size * (5 + 2 * np.sin(2 * np.pi * times / 86400))
    actual = forecast + 0.2 * size * rng.standard_normal(forecast.shape)
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    return ForecastTable(
        series_ids=tuple(f"zone_{index}" for index in range(series)),
        origins=origins,
        step_s=step_s,
        actual=actual,
        forecast=forecast,
        baseline=forecast + 0.6 * size * rng.standard_normal(forecast.shape),
        levels=levels,
        quantiles=forecast[..., None] + 0.2 * size[..., None] * normal,
    )


@pytest.fixture(scope="session")
def make_table() -> Make:
    """Build a table; see `make`."""
    return make


@pytest.fixture(scope="session")
def report() -> RunReport:
    """Report of the example run, in the time zone of the tables."""
    read = RunReport.read(Path(__file__).parents[1] / "report")
    return read.model_copy(update={"timezone": "Europe/Paris"})


@pytest.fixture(scope="session")
def make_subject(report: RunReport) -> Callable[..., Subject]:
    """Build a subject of a table and changes to the report."""

    def build(table: ForecastTable, **changes: object) -> Subject:
        return Subject(report.model_copy(update=changes), "basis_ridge", table)

    return build
