"""From a task's pipeline to the file that every peer reads, and to what came after."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.task import HOLIDAY, FloatArray, Task
from frugal_ai.data.calendar import holiday_days, local_days
from frugal_ai.data.gaps import fill_history
from frugal_ai.data.panel import Panel
from frugal_ai.errors import DataError
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import prepare

LEVELS = (0.1, 0.5, 0.9)
"""Levels that peers are asked for: the median, and an interval of 80 %."""


@dataclass(frozen=True)
class Given:
    """A task, what was observed after its origins [S, O, H], and the pipeline that declares it."""

    pipeline: Pipeline
    task: Task
    actual: FloatArray


def given(path: Path, n_origins: int | None = None) -> Given:
    """Read and prepare a task's file; the first test origins alone where a number is given.

    Raises
    ------
    FrugalError
        If the task's file or its data cannot be used; the message says where.
    """
    pipeline = read_pipeline(path)
    prepared = prepare(pipeline, path.parent, {}, lambda _: None)
    origins = prepared.split.test[:n_origins]
    panel = prepared.panel
    if panel.vintages:
        raise DataError(f"{path}: expected known covariates without vintages, for peers take none")
    known_names, known = _known(panel, pipeline)
    first = panel.index(int(origins[0]))
    task = Task(
        name=pipeline.name,
        kind=pipeline.kind,
        series=panel.series_ids,
        start=panel.start,
        step_s=panel.step_s,
        horizon=pipeline.steps,
        timezone=pipeline.timezone,
        country=pipeline.holidays or "",
        coordinate=_coordinate(pipeline),
        values=fill_history(panel.values, "linear", panel.length, first),
        known_names=known_names,
        known=known,
        origins=origins,
        levels=LEVELS,
    )
    actual = np.stack([series.targets(origins) for series in prepared.series])
    return Given(pipeline, task, actual)


def _coordinate(pipeline: Pipeline) -> tuple[float, float] | None:
    places = pipeline.site.sunlit
    if places is None or places == "static":
        return None
    latitude, longitude = np.mean([[one.latitude, one.longitude] for one in places], axis=0)
    return float(latitude), float(longitude)


def _known(panel: Panel, pipeline: Pipeline) -> tuple[tuple[str, ...], FloatArray]:
    """Return the known covariates [S, T, K], public holidays among them where they count."""
    if pipeline.holidays is None:
        return panel.known_names, panel.known
    years = (panel.times[[0, -1]].astype("datetime64[s]").astype("datetime64[Y]")).astype(int)
    off = holiday_days(pipeline.holidays, 1970 + int(years[0]) - 1, 1970 + int(years[1]) + 1)
    flag = np.isin(local_days(pipeline.timezone, panel.times), off).astype(np.float64)  # [T]
    column = np.broadcast_to(flag[None, :, None], (len(panel.series_ids), panel.length, 1))
    return (HOLIDAY, *panel.known_names), np.concatenate([column, panel.known], axis=2)
