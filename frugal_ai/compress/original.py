"""The model that is to be made smaller, and all that its students share with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from frugal_ai.backtest.evaluate import SeriesModel, Task
from frugal_ai.compress.columns import without_idle_columns
from frugal_ai.export.model import OnnxModel, to_onnx
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.ladder.rung import Rung

ORIGINAL = "original"
"""Kind of the chosen model as it is."""


@dataclass(frozen=True)
class Original:
    """A chosen rung, as the graphs that would be shipped of it.

    Attributes
    ----------
    rung
        With its settings.
    task
        As the rung sees it: series, grids, split, levels, what a plant can do.
    graphs
        Features that the graph of each series reads, S.
    exported
        The graphs, S.
    models
        What they were exported from; None where only the graphs are left.
    """

    rung: Rung
    task: Task
    graphs: tuple[FeatureGraph, ...]
    exported: tuple[OnnxModel, ...]
    models: tuple[SeriesModel, ...] | None = None


@dataclass(frozen=True)
class Candidate:
    """Something that may be shipped in the place of the original.

    Attributes
    ----------
    kind
        Name of what was done; `ORIGINAL` for nothing.
    graphs, exported
        As the original's.
    models
        What they were exported from; None for what exists as a graph alone.
    """

    kind: str
    graphs: tuple[FeatureGraph, ...]
    exported: tuple[OnnxModel, ...]
    models: tuple[SeriesModel, ...] | None = None

    @property
    def bytes(self) -> int:
        """Size of the largest series' graph."""
        return max(len(model.content) for model in self.exported)


def as_it_is(original: Original) -> Candidate:
    """Return the original as the first candidate."""
    return Candidate(ORIGINAL, original.graphs, original.exported, original.models)


def of_models(kind: str, models: Sequence[SeriesModel], *, fold_scalers: bool = True) -> Candidate:
    """Export models, one for each series, without the features that they do not read."""
    small = tuple(without_idle_columns(model) for model in models)
    return Candidate(
        kind,
        tuple(model.graph for model in small),
        tuple(to_onnx(model, fold_scalers=fold_scalers) for model in small),
        small,
    )
