"""What a run of frugal-ai leaves, as rows beside the peers: the chosen rung and the linear ones."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.peers import own
from benchmarks.peers.exchange import Given
from benchmarks.peers.scoring import Judge, Scored
from frugal_ai.backtest.compare import Interval
from frugal_ai.backtest.evaluate import GRAPH_MADE
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.errors import DataError
from frugal_ai.report import RungReport, RunReport
from frugal_ai.report.figures import Bounds
from frugal_ai.report.forecasts import ForecastTable

_LEDGER = "ledger.jsonl"
CpuTimes = dict[str, float]
_OF_TRAINING = {"features", "training"}
_OF_TRIALS = {"tuning"}


@dataclass(frozen=True)
class Row:
    """A rung as a row of a table.

    ``train_cpu_s`` has its features and the final fit [s], without making their graph, which is
    done once before as a peer's first call is; ``trial_cpu_s`` the fits that the choice
    between rungs and the quantiles rest on [s]; ``origin_cpu_ms`` is of all series from one origin
    with the exported graph [ms].
    """

    rung: str
    chosen: bool
    scored: Scored
    train_cpu_s: float
    trial_cpu_s: float
    origin_cpu_ms: float


@dataclass(frozen=True)
class Ours:
    """A finished run: its rows, and what the process took as a whole."""

    version: str
    chosen: Row
    linear: tuple[Row, ...]
    import_wall_s: float
    cpu_s: float
    peak_rss_mb: float

    @property
    def rows(self) -> tuple[Row, ...]:
        """The chosen rung, and the linear ones but for it."""
        return (self.chosen, *(row for row in self.linear if row.rung != self.chosen.rung))


def read_run(run_dir: Path, given: Given, judge: Judge) -> Ours:
    """Read a run folder.

    Raises
    ------
    DataError
        If the run is incomplete or no rung was chosen.
    """
    report, table = RunReport.read(run_dir), ForecastTable.read(run_dir)
    chosen = [rung for rung in report.rungs if rung.chosen]
    linear = [rung for rung in report.rungs if rung.family == "linear"]
    if not chosen or not linear:
        raise DataError(f"{run_dir}: expected a chosen rung and a linear one")
    if not np.array_equal(table.actual, given.actual, equal_nan=True):
        raise DataError(f"{run_dir}: expected the observations that the peers are scored on")
    scored = judge.score(table.forecast, table.levels, table.quantiles)
    process = json.loads((run_dir / own.NAME).read_text(encoding="utf-8"))
    train, trials = (_cpu_s(run_dir, stages) for stages in (_OF_TRAINING, _OF_TRIALS))
    n_series = len(given.task.series)
    return Ours(
        version=version("frugal-ai"),
        chosen=_row(chosen[0], scored, train, trials, n_series),
        linear=tuple(_row(one, _reported(one), train, trials, n_series) for one in linear),
        **process,
    )


def _row(rung: RungReport, scored: Scored, train: CpuTimes, trials: CpuTimes, n_series: int) -> Row:
    return Row(
        rung=rung.rung,
        chosen=rung.chosen,
        scored=scored,
        train_cpu_s=train[rung.rung],
        trial_cpu_s=trials[rung.rung],
        origin_cpu_ms=n_series * (rung.latency_us or 0.0) / 1000,
    )


def _reported(rung: RungReport) -> Scored:
    """Take the figures of a rung from the run's report, which keeps no forecasts of it."""
    if rung.mae is None or rung.nmae is None or rung.skill is None:
        raise DataError(f"{rung.rung}: expected its figures on the test origins")
    return Scored(
        errors=None,
        mae=_interval(rung.mae, rung.mae_ci),
        nmae=rung.nmae,
        skill=_interval(rung.skill, rung.skill_ci),
        npinball=rung.npinball,
        coverage=None if rung.coverage is None else _interval(rung.coverage, rung.coverage_ci),
    )


def _interval(value: float, bounds: Bounds | None) -> Interval:
    low, high = bounds or (-np.inf, np.inf)
    return Interval(value, low, high)


def _cpu_s(run_dir: Path, stages: set[str]) -> CpuTimes:
    """Add up the CPU time of each rung on some stages [s], but for what it compiles."""
    total: dict[str, float] = {}
    for record in read_ledger(run_dir / _LEDGER):
        if record.stage in stages and record.note != GRAPH_MADE:
            total[record.rung] = total.get(record.rung, 0.0) + record.cpu_time_s
    return total
