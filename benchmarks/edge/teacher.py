"""The teacher's trees as LightGBM has them, and windows to forecast from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.edge.plan import plan_of
from benchmarks.edge.workers.features import Plan
from frugal_ai.backtest.evaluate import evaluate, unmeasured
from frugal_ai.backtest.windows import Series
from frugal_ai.errors import DataError
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.pipeline import read_pipeline
from frugal_ai.prepare import prepare, task


@dataclass(frozen=True)
class Teacher:
    """Trees and the features that they read.

    Attributes
    ----------
    booster
        The same as in the graph of the run: one seed, one thread, the same rows.
    graph
        Of the features, all columns of the recipe that trees read.
    plan
        The same features for numpy.
    series, origins
        To cut windows from, at some test origins.
    """

    booster: lightgbm.Booster
    graph: FeatureGraph
    plan: Plan
    series: Series
    origins: np.ndarray[Any, np.dtype[np.int64]]

    def windows(self, graph: FeatureGraph | None = None) -> Windows:
        """Cut what a graph reads at the origins; by default the features of the trees."""
        return self.series.windows(self.origins, (graph or self.graph).reach)

    @property
    def mean(self) -> float:
        """Mean of the series' absolute values."""
        return float(np.nanmean(np.abs(self.series.panel.values[self.series.index])))


def fitted_again(path: Path, n_origins: int) -> Teacher:
    """Fit the teacher of a pipeline outside of its run, which keeps the graph alone.

    Raises
    ------
    FrugalError
        If the pipeline cannot be run.
    """
    pipeline = read_pipeline(path)
    prepared = prepare(pipeline, path.parent, {}, lambda _: None)
    rung, common = pipeline.rungs[-1], task(pipeline, prepared)
    model = evaluate(rung, common, unmeasured).models[0]
    trees = getattr(model.forecaster.fitted, "trees", None)
    if trees is None:
        raise DataError(f"{path}: expected a rung with trees, got {rung.name}")
    graph = FeatureGraph(common.seen_by(rung).recipe.features, prepared.grids[0])
    test = prepared.split.test
    spread = np.linspace(0, len(test) - 1, min(n_origins, len(test))).astype(int)
    return Teacher(trees.booster, graph, plan_of(graph), prepared.series[0], test[spread])
