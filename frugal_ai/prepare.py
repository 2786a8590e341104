"""From a pipeline to everything that its backtest needs: series, grids, origins, checked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce
from pathlib import Path

import numpy as np

from frugal_ai.backtest.conformal import require_origins
from frugal_ai.backtest.evaluate import Task
from frugal_ai.backtest.forecaster import OriginClocks
from frugal_ai.backtest.origins import start_of
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.split import Split, training_origins_of
from frugal_ai.backtest.windows import Series
from frugal_ai.data import quality
from frugal_ai.data.calendar import DAY_S
from frugal_ai.data.panel import Panel, format_time
from frugal_ai.data.source import Request
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.blocks.daily import Daily
from frugal_ai.features.blocks.known import Known
from frugal_ai.features.blocks.sun import ClearSkyLevel, Places
from frugal_ai.features.blocks.unit import Daylight
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import SERIES, Grid, local_grid
from frugal_ai.pipeline import Covariates, Pipeline

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
    left_out
        Rungs that the history does not support, and why.
    """

    panel: Panel
    quality: quality.QualityReport
    series: tuple[Series, ...]
    grids: tuple[Grid, ...]
    split: Split
    left_out: Mapping[str, str] = field(default_factory=dict)


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
    split = split_of(pipeline)
    clean = _cleaned(pipeline, split, base, replacements, tell)
    panel = replace(clean.panel, past=clean.past)
    indices = range(len(panel.series_ids))
    series = tuple(Series(panel, i, clean.history[i], pipeline.steps) for i in indices)
    grids = tuple(_grid(pipeline, panel, i, split) for i in indices)
    prepared = Prepared(
        panel=panel,
        quality=clean.report,
        series=series,
        grids=with_percentiles(grids, series, split),
        split=split,
    )
    prepared = replace(prepared, left_out=_unsupported(pipeline, prepared))
    for rung, reason in prepared.left_out.items():
        tell(f"rung {rung} is left out: {reason}")
    _check_windows(pipeline, prepared)
    return prepared


def _cleaned(
    pipeline: Pipeline,
    split: Split,
    base: Path,
    replacements: Mapping[str, Path],
    tell: Callable[[str], None],
) -> quality.Prepared:
    """Load what the pipeline names and apply its policy."""
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
    loaded = pipeline.source.load(request)
    _check_assumed(pipeline.covariates, loaded, tell)
    clean = quality.enforce(loaded, pipeline.quality, period)
    for remark in clean.report.lines():
        tell(remark)
    return clean


def _check_assumed(covariates: Covariates, panel: Panel, tell: Callable[[str], None]) -> None:
    """Check that for each known covariate it is said when it became known.

    Raises
    ------
    PipelineError
        If the data do not say it, and neither does the pipeline.
    """
    unproven = covariates.unproven(panel.vintages)
    if unproven and covariates.assume is None:
        names = ", ".join(unproven)
        raise PipelineError(
            f"covariates: nothing says when {names} became known; give their table a column"
            " available_at, or write assume: perfect beside known to take them as they came, or"
            f" certain: [{names}] if they are known for sure"
        )
    if covariates.assume and not unproven:
        tell("covariates: assume: perfect holds for none of them")


def task(pipeline: Pipeline, prepared: Prepared) -> Task:
    """Put together what all rungs have in common."""
    places = pipeline.site.sunlit if pipeline.kind == "pv" else None
    follows = pipeline.site.capacity in prepared.panel.known_names
    return Task(
        recipe=pipeline.features,
        series=prepared.series,
        grids=prepared.grids,
        split=prepared.split,
        seed=pipeline.seed,
        limits=pipeline.limits,
        levels=pipeline.quantiles,
        recalibrate=pipeline.recalibrates,
        physical=Physical(
            unit=follows,
            full=follows,
            daylight=Daylight(places=places) if places else None,
            spread=_spread(places) if pipeline.kind == "pv" else None,
            dark=pipeline.kind == "pv" and places is None,
        ),
    )


def _spread(places: Places | None) -> Block:
    """Return what errors of PV grow with: what a clear sky gives, or gave lately at that time."""
    if places is None:
        return Daily(feature="daily", days=(28,), stats=("max",))
    return ClearSkyLevel(feature="clear_sky_level", places=places, window=(timedelta(days=7),))


def split_of(pipeline: Pipeline) -> Split:
    """Return training, validation and test as the pipeline declares them."""
    periods, timezone = pipeline.periods, pipeline.timezone
    return Split(
        start=start_of(periods.train, timezone),
        validation=periods.validation.instants(timezone),
        test=periods.test.instants(timezone),
        at=periods.test.at,
        timezone=timezone,
        folds=periods.folds,
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
        static={SERIES: float(index)}
        | dict(zip(panel.static_names, panel.static[index].tolist(), strict=True)),
        derived=pipeline.features.derived,
        capacity=pipeline.site.capacity if pipeline.site.capacity in panel.known_names else None,
    )


def with_percentiles(
    grids: tuple[Grid, ...], series: tuple[Series, ...], split: Split
) -> tuple[Grid, ...]:
    """Tell the grids what known covariates were before the first validation origin.

    The values of all series count, so that a model of all of them has the same knots for each.
    """
    names = (*grids[0].known_names, *grids[0].derived)
    if not names:
        return grids
    found = []
    for one, grid in zip(series, grids, strict=True):
        graph = FeatureGraph((Known(feature="known", names=names),), replace(grid, capacity=None))
        origins = training_origins_of(one, graph, split)
        seen = origins[origins + one.horizon * grid.step_s <= split.validation[0]]
        if len(seen):
            found.append(graph.transform(one.windows(seen, graph.reach)).reshape(-1, len(names)))
    if not found:
        return grids
    table = np.percentile(np.concatenate(found), np.arange(101), axis=0)  # [101, names]
    known = {name: table[:, k].astype(np.float64) for k, name in enumerate(names)}
    return tuple(replace(grid, percentiles=known) for grid in grids)


def reach(pipeline: Pipeline, grid: Grid, without: Collection[str] = ()) -> Reach:
    """Return what the rungs of a pipeline read, all of them together but those named."""
    graphs = (
        FeatureGraph(rung.blocks(pipeline.features), grid)
        for rung in pipeline.rungs
        if rung.name not in without
    )
    return reduce(Reach.__or__, (graph.reach for graph in graphs), Reach())


def _unsupported(pipeline: Pipeline, prepared: Prepared) -> dict[str, str]:
    """Find the rungs whose windows need more history than there is, and say what they need.

    Raises
    ------
    DataError, PipelineError
        If none is left.
    """
    split, found = prepared.split, dict[str, DataError | PipelineError]()
    for series, grid in zip(prepared.series, prepared.grids, strict=True):
        for rung in pipeline.rungs:
            graph = FeatureGraph(rung.blocks(pipeline.features), grid)
            _ = graph.columns
            try:
                _check_history(series, graph, split)
                _check_training(rung.name, series, graph, split)
            except (DataError, PipelineError) as error:
                found.setdefault(rung.name, error)
    if len(found) == len(pipeline.rungs):
        raise next(iter(found.values()))
    return {rung: str(error) for rung, error in found.items()}


def _check_history(series: Series, graph: FeatureGraph, split: Split) -> None:
    first = split.validation[:1]
    needed = max(graph.reach.history, graph.reach.lookback, 1)
    there = int(series.positions(first)[0])
    if there < needed:
        raise DataError(
            f"{series.name}: expected {needed} steps of history before {format_time(first[0])}, "
            f"got {there}"
        )


def _check_windows(pipeline: Pipeline, prepared: Prepared) -> None:
    """Cut every window once, so that what is missing is said before anything is trained."""
    split, left_out = prepared.split, prepared.left_out
    for series, grid in zip(prepared.series, prepared.grids, strict=True):
        wanted = reach(pipeline, grid, left_out)
        for origins in (split.validation, split.test):
            series.windows(origins, wanted)
            if not np.isfinite(series.targets(origins)).any():
                raise DataError(
                    f"{series.name}: expected observations after the origins "
                    f"{format_time(origins[0])} to {format_time(origins[-1])}, all are missing"
                )
        _check_calibration(pipeline, series, grid, split)
        for rung in pipeline.rungs:
            if rung.name in left_out:
                continue
            graph = FeatureGraph(rung.blocks(pipeline.features), grid)
            if prepared.panel.vintages:  # of others the whole period was looked at
                series.windows(training_origins_of(series, graph, split), graph.reach)
            if grid.capacity:
                _check_capacity(grid.capacity, series, graph, split)


def _check_capacity(name: str, series: Series, graph: FeatureGraph, split: Split) -> None:
    """Check that what the target is counted in is above zero wherever a model divides by it."""
    steps = max(graph.reach.history, graph.reach.lookback, 1)
    read = Reach(lookback=steps, known=frozenset({name}))
    for origins in (training_origins_of(series, graph, split), split.validation, split.test):
        seen = series.windows(origins, read).known[:, :, 0]  # [O, L+H]
        bad = np.argwhere(seen <= 0)
        if len(bad):
            row, step = bad[0]
            at = int(origins[row]) + (int(step) - steps) * series.panel.step_s
            raise DataError(
                f"{series.name}: site.capacity: expected {name} above 0 at {format_time(at)}, "
                f"got {seen[row, step]:g}"
            )


def _check_calibration(pipeline: Pipeline, series: Series, grid: Grid, split: Split) -> None:
    clocks = OriginClocks.of(split.at, grid.step_s)
    observed = np.isfinite(series.targets(split.validation))
    group = clocks.group_at(split.validation, grid)
    try:
        require_origins(observed, group, len(clocks.at), pipeline.quantiles, clocks.names)
    except PipelineError as error:
        raise PipelineError(f"{series.name}: {error}") from error


def _check_training(rung: str, series: Series, graph: FeatureGraph, split: Split) -> None:
    first = int(training_origins_of(series, graph, split)[0])
    if first + series.horizon * series.panel.step_s > split.validation[0]:
        raise PipelineError(
            f"periods: expected a training origin of {rung} whose targets end before the first "
            f"validation origin {format_time(split.validation[0])}, "
            f"got the first at {format_time(first)}"
        )
