"""What a candidate is worth on test origins, and what it costs to run."""

from dataclasses import dataclass, field, fields, is_dataclass
from statistics import median

import numpy as np
import onnx

from frugal_ai.backtest.compare import Interval, Resamples, mean_error, retained_interval
from frugal_ai.backtest.evaluate import Task
from frugal_ai.backtest.forecaster import Forecasts
from frugal_ai.backtest.metrics import OriginErrors, origin_errors
from frugal_ai.backtest.probabilistic import pinball
from frugal_ai.backtest.recalibrate import follow
from frugal_ai.compress.footprint import footprint
from frugal_ai.compress.gates import Figures
from frugal_ai.compress.original import Candidate
from frugal_ai.compress.replay import replay
from frugal_ai.cost.context import Cost, CostContext
from frugal_ai.cost.meter import Meter
from frugal_ai.data.panel import FloatArray
from frugal_ai.errors import CompressionError, ParityError
from frugal_ai.export.model import check_parity
from frugal_ai.features.graph import Windows
from frugal_ai.ladder.rung import Float32Array

_FUNCTIONAL_UNIT = 1000  # forecasts
_TREES = "TreeEnsemble"


@dataclass(frozen=True)
class Seen:
    """What was found out about a candidate.

    Attributes
    ----------
    figures
        What the gates look at.
    retained
        Of all series together, with its interval.
    per_1000
        A thousand forecasts of the first series.
    cpu_us
        CPU time of one of them [us].
    cold_ms
        CPU time of a process that forecasts once [ms]; None where the system does not tell.
    parameters, tree_nodes
        Learnt numbers outside of trees, and splits and leaves of trees, of the largest series.
    """

    figures: Figures
    retained: Interval
    per_1000: Cost
    cpu_us: float
    cold_ms: float | None
    parameters: int
    tree_nodes: int


@dataclass(frozen=True)
class Walked:
    """Test forecasts of a candidate, by series, and how far graph and Python are apart."""

    forecasts: tuple[Forecasts, ...]
    parities: tuple[float | None, ...]


@dataclass
class Examiner:
    """Looks at one candidate after the other on the same test origins.

    Parameters
    ----------
    task
        As the chosen rung sees it.
    baseline
        The better seasonal naive's test forecasts [S, O, H].
    draws, level
        Of the paired bootstrap.
    meter, context
        For what a forecast costs.
    """

    task: Task
    baseline: FloatArray
    draws: Resamples
    level: float
    meter: Meter
    context: CostContext
    _original: tuple[Forecasts, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self._origins = self.task.split.test
        self._actual = np.stack([one.targets(self._origins) for one in self.task.series])

    def take_as_original(self, walked: Walked) -> None:
        """Take forecasts as what others are compared with."""
        self._original = walked.forecasts

    @property
    def skilled(self) -> bool:
        """Whether the original has less error than the seasonal naive."""
        points = np.stack([one.point for one in self._original])
        errors = (self._errors(each, slice(None)) for each in (points, self.baseline))
        return mean_error(next(errors)) < mean_error(next(errors))

    def walk(self, candidate: Candidate) -> Walked:
        """Forecast the test origins with the graphs, and with what they were exported from."""
        series = range(len(candidate.exported))
        return Walked(
            forecasts=tuple(self._replayed(candidate, i)[0] for i in series),
            parities=tuple(self._parity(candidate, i) for i in series),
        )

    def look(self, candidate: Candidate, walked: Walked) -> Seen:
        """Compare forecasts of the test origins, and measure one.

        Raises
        ------
        CompressionError
            If a forecast is not finite, or the graph does not run in a process of its own.
        """
        series = range(len(candidate.exported))
        found = walked.forecasts
        if not all(np.isfinite(one.point).all() for one in found):
            raise CompressionError("it gives forecasts that are not finite")
        windows = self._windows(candidate, 0)
        _, one = self.meter.measure(candidate.exported[0].forecaster(windows))
        feet = footprint(candidate.exported[0], windows)
        each = [self._retained(found, i).value for i in series]
        known = [parity for parity in walked.parities if parity is not None]
        figures = Figures(
            retained=median(each),
            retained_least=min(each),
            retained_quantiles=self._retained_quantiles(found),
            parity=max(known) if known else None,
            bytes=candidate.bytes,
            latency_us=one.wall_s * 1e6,
            rss_mb=feet.rss_mb if feet else None,
        )
        return Seen(
            figures=figures,
            retained=self._retained(found, None),
            per_1000=self.context.cost(one.times(_FUNCTIONAL_UNIT)),
            cpu_us=one.cpu_s * 1e6,
            cold_ms=feet.cold_ms if feet else None,
            parameters=max(parameters(candidate, i) for i in series),
            tree_nodes=max(tree_nodes(model.content) for model in candidate.exported),
        )

    def _windows(self, candidate: Candidate, i: int) -> Windows:
        return self.task.series[i].windows(self._origins, candidate.graphs[i].reach)

    def _replayed(self, candidate: Candidate, i: int) -> tuple[Forecasts, Float32Array]:
        return replay(
            candidate.exported[i], self._windows(candidate, i), self._origins, self._actual[i],
            self.task.levels, self.task.grids[i].step_s,
        )  # fmt: skip

    def _parity(self, candidate: Candidate, i: int) -> float | None:
        """Compare a graph with what it was exported from; infinite where they disagree."""
        if candidate.models is None:
            return None
        model, series = candidate.models[i], self.task.series[i]
        windows = self._windows(candidate, i)
        features = model.graph.transform(windows)
        step_s = self.task.grids[i].step_s
        native, drift = follow(model.forecaster, features, self._origins, self._actual[i], step_s)
        mean = float(np.nanmean(np.abs(series.panel.values[series.index])))
        try:
            return check_parity(candidate.exported[i], windows, native, mean, drift)
        except ParityError:
            return float("inf")

    def _retained(self, found: tuple[Forecasts, ...], i: int | None) -> Interval:
        """Return the share of skill that is kept, of one series or of all."""
        part = slice(None) if i is None else slice(i, i + 1)
        errors = [
            self._errors(points[part], part)
            for points in (
                np.stack([one.point for one in found]),
                np.stack([one.point for one in self._original]),
                self.baseline,
            )
        ]
        if not mean_error(errors[2]) > mean_error(errors[1]):  # a series without skill to keep
            value = 1.0 if mean_error(errors[0]) <= mean_error(errors[1]) else 0.0
            return Interval(value, -np.inf, np.inf)
        return retained_interval(errors[0], errors[1], errors[2], self.draws, self.level)

    def _errors(self, points: FloatArray, part: slice) -> OriginErrors:
        return origin_errors(points, self._actual[part])

    def _retained_quantiles(self, found: tuple[Forecasts, ...]) -> float | None:
        """Return the share of the gain in pinball loss over the baseline, taken as all quantiles.

        All series are averaged; without a gain it is 1 or 0, as for skill.
        """
        levels = self.task.levels
        if not levels:
            return None
        naive = np.repeat(self.baseline[..., None], len(levels), axis=-1)
        mine, its, none = (
            pinball(quantiles, self._actual, levels)
            for quantiles in (_quantiles(found), _quantiles(self._original), naive)
        )
        return (none - mine) / (none - its) if none > its else float(mine <= its)


def _quantiles(found: tuple[Forecasts, ...]) -> FloatArray:
    return np.stack([one.quantiles for one in found])


def parameters(candidate: Candidate, i: int) -> int:
    """Count the numbers of a model that were learnt, those of trees aside."""
    return 0 if candidate.models is None else _numbers(candidate.models[i].forecaster)


def _numbers(part: object) -> int:
    if isinstance(part, np.ndarray):
        return int(part.size)
    if isinstance(part, tuple):
        return sum(map(_numbers, part))
    if is_dataclass(part):
        return sum(_numbers(getattr(part, one.name)) for one in fields(part))
    return 0


def tree_nodes(content: bytes) -> int:
    """Count splits and leaves of the trees in a graph."""
    graph = onnx.load_model_from_string(content).graph
    sizes = {"nodes_featureids", "leaf_targetids"}
    return sum(
        len(attribute.ints)
        for node in graph.node
        if node.op_type == _TREES
        for attribute in node.attribute
        if attribute.name in sizes
    )
