"""How much a rung learns from, told by the pipeline alone: no data are read."""

from frugal_ai.backtest.origins import training_origins
from frugal_ai.backtest.split import Split
from frugal_ai.cost.ledger import Size
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import SERIES, Grid, local_grid
from frugal_ai.ladder.rung import Rung
from frugal_ai.pipeline import Pipeline


def size_of(pipeline: Pipeline, rung: Rung, grid: Grid, split: Split) -> Size:
    """Return the target values that a final fit learns from, of all series, and its features.

    Raises
    ------
    PipelineError
        If the periods leave no room for training.
    """
    graph = FeatureGraph(rung.blocks(pipeline.features), grid)
    reach_s = max(graph.reach.history, graph.reach.lookback, 1) * pipeline.step_s
    horizon_s = pipeline.steps * pipeline.step_s
    until = int(split.test[0])
    origins = training_origins(split.start, until, split.at, split.timezone, reach_s, horizon_s)
    rows = len(origins) * pipeline.steps * len(pipeline.series)
    return Size(rows=rows, features=len(graph.columns))


def bare_grid(pipeline: Pipeline, split: Split) -> Grid:
    """Return the grid of a pipeline whose data were not read: names, but no values."""
    covariates, capacity = pipeline.covariates, pipeline.site.capacity
    return local_grid(
        step_s=pipeline.step_s,
        horizon=pipeline.steps,
        timezone=pipeline.timezone,
        holidays=pipeline.holidays,
        valid_from=split.start,
        valid_until=int(split.test[-1]),
        known_names=covariates.known,
        past_names=covariates.past,
        static={SERIES: 0.0} | dict.fromkeys(covariates.static, 0.0),
        derived=pipeline.features.derived,
        capacity=capacity if isinstance(capacity, str) else None,
    )
