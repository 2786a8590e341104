"""From a pipeline to everything that its backtest needs: series, grids, origins, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from frugal_ai.backtest.evaluate import Split
from frugal_ai.backtest.origins import stamp, start_of
from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.data.quality import QualityReport, fill, inspect
from frugal_ai.data.sources import Request
from frugal_ai.errors import DataError
from frugal_ai.features.blocks.base import Reach
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import DAY_S, Grid, local_grid
from frugal_ai.pipeline import Pipeline

_DAYS_PER_YEAR = 366


@dataclass(frozen=True)
class Prepared:
    """A pipeline's data, ready for the backtest.

    Attributes
    ----------
    panel
        Observations and covariates of the periods that the pipeline uses, gaps left as they are.
    quality
        What was found in them.
    series, grids
        One for each series, S.
    split
        Training, validation and test.
    """

    panel: Panel
    quality: QualityReport
    series: tuple[Series, ...]
    grids: tuple[Grid, ...]
    split: Split


def load(pipeline: Pipeline, base: Path, replacements: Mapping[str, Path]) -> Panel:
    """Read what the pipeline names.

    Parameters
    ----------
    base
        Folder that relative paths in the pipeline start from.
    replacements
        Files to read instead, by name.

    Raises
    ------
    DataError
        If the source cannot deliver it.
    """
    request = Request(
        series=pipeline.series,
        step_s=pipeline.step_s,
        known=pipeline.covariates.known,
        past=pipeline.covariates.past,
        static=pipeline.covariates.static,
        replacements=dict(replacements),
        base=base,
        quality=pipeline.quality,
    )
    return pipeline.source.load(request)


def prepare(pipeline: Pipeline, panel: Panel) -> Prepared:
    """Check the data against the pipeline and cut them to its periods.

    Raises
    ------
    DataError, PipelineError
        If data and pipeline do not fit; the message says where.
    """
    split = Split(
        start=start_of(pipeline.periods.train, pipeline.timezone),
        validation=pipeline.periods.validation.instants(pipeline.timezone),
        test=pipeline.periods.test.instants(pipeline.timezone),
        at=pipeline.periods.test.at,
        timezone=pipeline.timezone,
    )
    panel = _used(panel, split, pipeline)
    report = inspect(panel, pipeline.quality)
    filled = fill(panel, pipeline.quality, first_origin=int(split.test[0]))
    series = tuple(
        Series(panel, index, filled[index], pipeline.steps)
        for index in range(len(panel.series_ids))
    )
    grids = tuple(_grid(pipeline, panel, index, split) for index in range(len(panel.series_ids)))
    prepared = Prepared(panel, report, series, grids, split)
    _check_windows(pipeline, prepared)
    return prepared


def _used(panel: Panel, split: Split, pipeline: Pipeline) -> Panel:
    """Cut the panel to the periods of the pipeline, so that nothing else can be seen."""
    end = int(split.test[-1]) + pipeline.steps * panel.step_s
    length = panel.values.shape[1]
    last = panel.start + length * panel.step_s
    for what, wanted in (("training", split.start), ("the last target", end)):
        if not panel.start <= wanted <= last:
            raise DataError(
                f"periods: expected {what} inside the data ({stamp(panel.start)} to "
                f"{stamp(last)}), got {stamp(wanted)}"
            )
    first = -(-(split.start - panel.start) // panel.step_s)
    stop = -(-(end - panel.start) // panel.step_s)
    part = slice(first, stop)
    return replace(
        panel,
        start=panel.start + first * panel.step_s,
        values=panel.values[:, part],
        known=panel.known[:, part],
        past=panel.past[:, part],
    )


def _grid(pipeline: Pipeline, panel: Panel, index: int, split: Split) -> Grid:
    years = pipeline.valid_years * _DAYS_PER_YEAR * DAY_S
    return local_grid(
        step_s=panel.step_s,
        horizon=pipeline.steps,
        timezone=pipeline.timezone,
        holidays=pipeline.holidays,
        valid_from=panel.start,
        valid_until=int(split.test[-1]) + years,
        known_names=panel.known_names,
        past_names=panel.past_names,
        static=dict(zip(panel.static_names, panel.static[index].tolist(), strict=True)),
    )


def reach(pipeline: Pipeline, grid: Grid) -> Reach:
    """Return how far the hungriest rung of a pipeline reads."""
    reaches = [FeatureGraph(rung.blocks(pipeline.recipe), grid).reach for rung in pipeline.rungs]
    combined = Reach()
    for one in reaches:
        combined |= one
    return combined


def _check_windows(pipeline: Pipeline, prepared: Prepared) -> None:
    """Cut every window once, so that what is missing is said before anything is trained."""
    split = prepared.split
    for series, grid in zip(prepared.series, prepared.grids, strict=True):
        for rung in pipeline.rungs:
            _ = FeatureGraph(rung.blocks(pipeline.recipe), grid).columns
        wanted = reach(pipeline, grid)
        for origins in (split.validation, split.test):
            series.windows(origins, wanted)
            if not np.isfinite(series.targets(origins)).any():
                raise DataError(
                    f"{series.name}: expected observations after the origins "
                    f"{stamp(origins[0])} to {stamp(origins[-1])}, all are missing"
                )
