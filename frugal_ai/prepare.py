"""From a pipeline to everything that its backtest needs: series, grids, origins, checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from frugal_ai.backtest.evaluate import Split, training_origins_of
from frugal_ai.backtest.origins import start_of
from frugal_ai.backtest.windows import Series
from frugal_ai.data import quality
from frugal_ai.data.calendar import DAY_S
from frugal_ai.data.panel import Panel, format_time
from frugal_ai.data.source import Request
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.features.blocks.base import Reach
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import Grid, local_grid
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
    quality: quality.QualityReport
    series: tuple[Series, ...]
    grids: tuple[Grid, ...]
    split: Split


def prepare(
    pipeline: Pipeline,
    base: Path,
    replacements: Mapping[str, Path],
    tell: Callable[[str], None],
) -> Prepared:
    """Read what the pipeline names, check it, and cut it to the pipeline's periods.

    Parameters
    ----------
    base
        Folder that relative paths in the pipeline start from.
    replacements
        Files to read instead, by name.
    tell
        Hears what was found in the data and done to them.

    Raises
    ------
    DataError, PipelineError
        If data and pipeline do not fit; the message says where.
    """
    split = _split(pipeline)
    end = int(split.test[-1]) + pipeline.steps * pipeline.step_s
    request = Request(
        series=pipeline.series,
        step_s=pipeline.step_s,
        tell=tell,
        known=pipeline.covariates.known,
        past=pipeline.covariates.past,
        static=pipeline.covariates.static,
        policy=pipeline.quality,
        base=base,
        replacements=replacements,
        since=split.start,
        until=end,
    )
    period = quality.Period(
        start=split.start,
        first_origin=int(split.validation[0]),
        last_origin=int(split.test[-1]),
        end=end,
        known_start=split.start,
    )
    clean = quality.enforce(pipeline.source.load(request), pipeline.quality, period)
    for remark in clean.report.lines():
        tell(remark)
    panel = replace(clean.panel, past=clean.past)
    indices = range(len(panel.series_ids))
    prepared = Prepared(
        panel=panel,
        quality=clean.report,
        series=tuple(Series(panel, i, clean.history[i], pipeline.steps) for i in indices),
        grids=tuple(_grid(pipeline, panel, i, split) for i in indices),
        split=split,
    )
    _check_windows(pipeline, prepared)
    return prepared


def _split(pipeline: Pipeline) -> Split:
    periods, timezone = pipeline.periods, pipeline.timezone
    return Split(
        start=start_of(periods.train, timezone),
        validation=periods.validation.instants(timezone),
        test=periods.test.instants(timezone),
        at=periods.test.at,
        timezone=timezone,
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
    """Return what the rungs of a pipeline read, all of them together."""
    graphs = (FeatureGraph(rung.blocks(pipeline.recipe), grid) for rung in pipeline.rungs)
    return reduce(Reach.__or__, (graph.reach for graph in graphs), Reach())


def _check_windows(pipeline: Pipeline, prepared: Prepared) -> None:
    """Cut every window once, so that what is missing is said before anything is trained."""
    split = prepared.split
    for series, grid in zip(prepared.series, prepared.grids, strict=True):
        graphs = {
            rung.name: FeatureGraph(rung.blocks(pipeline.recipe), grid) for rung in pipeline.rungs
        }
        for graph in graphs.values():
            _ = graph.columns
        wanted = reach(pipeline, grid)
        for origins in (split.validation, split.test):
            series.windows(origins, wanted)
            if not np.isfinite(series.targets(origins)).any():
                raise DataError(
                    f"{series.name}: expected observations after the origins "
                    f"{format_time(origins[0])} to {format_time(origins[-1])}, all are missing"
                )
        for name, graph in graphs.items():
            _check_training(name, series, graph, split)


def _check_training(rung: str, series: Series, graph: FeatureGraph, split: Split) -> None:
    first = int(training_origins_of(series, graph, split)[0])
    if first + series.horizon * series.panel.step_s > split.validation[0]:
        raise PipelineError(
            f"periods: expected a training origin of {rung} whose targets end before the first "
            f"validation origin {format_time(split.validation[0])}, "
            f"got the first at {format_time(first)}"
        )
