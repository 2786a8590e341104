"""The page that the benchmark writes: what was run and how, and a table for each task."""

from dataclasses import dataclass

from benchmarks.markdown import fill, item, table
from benchmarks.peers.environments import Installed
from benchmarks.peers.ours import Ours, Row
from benchmarks.peers.scoring import Judge, Scored
from benchmarks.peers.systems import LIBRARIES, System
from benchmarks.peers.task import Measured, Task
from frugal_ai.backtest.compare import Interval
from frugal_ai.cost.hardware import Host
from frugal_ai.leaderboard.figures import figure, percent

_SYSTEMS = ("library", "version", "Python", "packages", "install MB", "import s")
_COLUMNS = (
    "system", "MAE [95 % CI]", "nMAE %", "skill % [95 % CI]", "pinball %", "coverage 80 %",
    "training CPU-s", "CPU-ms per origin", "peak RSS MB", "install MB",
)  # fmt: skip
_SUMMARY = (
    "task", "chosen rung", "best peer", "error ratio [95 % CI]", "training CPU ratio (with trials)",
    "whole climb CPU-s",
)  # fmt: skip
_LINEAR = ("task", "linear rung", "best peer", "error ratio", "training CPU ratio (with trials)")


@dataclass(frozen=True)
class Entry:
    """A peer on a task; `failed` says in one line why there are no figures."""

    system: System
    installed: Installed | None
    measured: Measured | None = None
    scored: Scored | None = None
    failed: str = ""


@dataclass(frozen=True)
class Result:
    """All systems on a task; `failed` says why there are no figures of frugal-ai."""

    task: Task
    title: str
    unit: str
    judge: Judge
    entries: tuple[Entry, ...]
    ours: Ours | None
    failed: str = ""

    @property
    def best(self) -> Entry | None:
        """The peer with the least error, the naives aside; of equal ones the cheaper to train."""
        peers = [e for e in self.entries if e.scored is not None and e.system.library is not None]
        return min(peers, key=lambda e: (float(f"{_mae(e):.4g}"), _training(e)), default=None)


@dataclass(frozen=True)
class Page:
    """What the whole page needs."""

    results: tuple[Result, ...]
    own: Installed
    host: Host
    command: str

    def text(self) -> str:
        """Write the page as Markdown."""
        parts = [
            "# Benchmarks against other libraries",
            fill(
                f"`{self.command}` writes this part. Every system has the same data, origins and"
                " covariates, public holidays among them where they count; it is trained once, on"
                " what was observed before the first test origin, on one thread, and forecasts"
                " one origin after the other. All forecasts are clipped to the limits of the task"
                " and scored by frugal-ai's own metrics with its own intervals (block bootstrap"
                " over origins). The tasks are in `benchmarks/tasks`, the scripts of the peers in"
                " `benchmarks/peers/workers`, their pinned requirements in"
                " `benchmarks/peers/requirements`."
            ),
            fill(
                f"Machine: {self.host.cpu}, {self.host.threads} threads, {_memory(self.host)}"
                f"{self.host.os}. Two systems ran at a time. Times depend on the machine and on"
                " what else it does; ratios between them do less."
            ),
            self._summary(),
            *map(self._table, self.results),
            self._systems(),
        ]
        return "\n\n".join(parts) + "\n"

    def _summary(self) -> str:
        lines = [row for result in self.results if (row := _summary_row(result))]
        linear = [row for result in self.results for row in _linear_rows(result)]
        return "\n\n".join(
            [
                "## frugal-ai against the best peer",
                fill(
                    "Error and training CPU time of frugal-ai over those of the peer with the"
                    " least error on the test origins, of equal ones the cheaper to train; below 1"
                    " frugal-ai has less. The whole climb is every rung of the ladder, tried,"
                    " fitted, exported and checked, with bookkeeping and tracking."
                ),
                table(_SUMMARY, lines),
                "### Linear rungs against the best peer",
                table(_LINEAR, linear),
            ]
        )

    def _table(self, result: Result) -> str:
        rows = sorted((e for e in result.entries if e.scored is not None), key=_mae)
        cells = [*self._ours(result), *map(_peer_row, rows)]
        failed = [f"- {e.system.label}: {e.failed}" for e in result.entries if e.failed]
        if result.failed:
            failed.append(f"- frugal-ai: {result.failed}")
        head = (_COLUMNS[0], f"MAE [95 % CI], {result.unit}", *_COLUMNS[2:])
        count = f"{len(result.task.origins)} origins, {result.task.horizon} steps of "
        count += f"{result.task.step_s // 60} minutes, {len(result.task.series)} series."
        parts = [f"## {result.task.name}: {result.title}", count, table(head, cells)]
        if failed:
            parts.append("Without figures:\n\n" + "\n".join(failed))
        return "\n\n".join(parts)

    def _ours(self, result: Result) -> list[tuple[str, ...]]:
        if result.ours is None:
            return []
        return [
            _row(
                f"**frugal-ai: {row.rung}**" if row.chosen else f"frugal-ai: {row.rung}",
                row.scored,
                f"{figure(row.train_cpu_s)} (trials {figure(row.trial_cpu_s)})",
                (row.origin_cpu_ms, result.ours.peak_rss_mb, self.own.size_mb),
            )
            for row in result.ours.rows
        ]

    def _systems(self) -> str:
        ours = next((result.ours for result in self.results if result.ours), None)
        rows = [] if ours is None else [_library_row("frugal-ai", ours, self.own)]
        entries = [entry for result in self.results for entry in result.entries]
        for library in LIBRARIES:
            for entry in entries:
                if entry.system.library == library and entry.measured and entry.installed:
                    rows.append(_library_row(library.name, entry.measured, entry.installed))
                    break
        return "\n\n".join(
            [
                "## Systems and what is measured",
                table(_SYSTEMS, rows),
                "\n".join(item(f"**{one.name}**: {one.configured}") for one in LIBRARIES),
                fill(
                    "mlforecast and skforecast give intervals on request, at the price of further"
                    " fits; they were not asked for, so that their training is that of the points."
                    " Given the same features and trees, the two forecast the same, or nearly so,"
                    " on a single series."
                ),
                fill(
                    "Training CPU-s has features and the fit that forecasts; before, a"
                    " small part of the task goes through each peer, so that nothing is"
                    " charged for what is loaded or compiled on a first call; nor is"
                    " frugal-ai for making the graph of the features, which its bill and the"
                    " whole climb have. frugal-ai also fits trial models, on which the"
                    " choice between its rungs and its quantiles rest; they stand in"
                    " brackets. What the search for the settings of mlforecast and"
                    " skforecast took is not counted, and they give no quantiles. A peer"
                    " that is fitted anew at every origin has no training. CPU-ms per origin"
                    " is of all series; for frugal-ai it is the time of one warm forecast"
                    " with the exported graph. Peak RSS is of the process; for frugal-ai"
                    " that climbs the whole ladder, with MLflow and CodeCarbon. The size of"
                    " an installation is that of the packages in the requirements, without"
                    " Python. Skill is against the better of the two seasonal naives."
                    " Pinball is the mean over the levels 0.1, 0.5 and 0.9, over the"
                    " denominator of nMAE. Targets without any uncertainty, as at night, do"
                    " not count for the coverage."
                ),
            ]
        )


def _mae(entry: Entry) -> float:
    return entry.scored.mae.value if entry.scored else float("inf")


def _training(entry: Entry) -> float:
    return entry.measured.train_cpu_s if entry.measured else float("inf")


def _memory(host: Host) -> str:
    return f"{host.ram_gb:.0f} GB, " if host.ram_gb else ""


def _peer_row(entry: Entry) -> tuple[str, ...]:
    measured, installed = entry.measured, entry.installed
    if measured is None or entry.scored is None:
        raise ValueError("expected a peer that was measured")
    size = installed.size_mb if installed and entry.system.library else None
    train = figure(measured.train_cpu_s if entry.system.trained else None)
    took = (measured.origin_cpu_ms, measured.peak_rss_mb, size)
    return _row(entry.system.label, entry.scored, train, took)


def _row(
    label: str, scored: Scored, train: str, took: tuple[float, float, float | None]
) -> tuple[str, ...]:
    origin, rss, size = took
    return (
        label,
        _with_interval(scored.mae, 4),
        percent(scored.nmae),
        percent(scored.skill.value, _ends(scored.skill)),
        percent(scored.npinball),
        "-" if scored.coverage is None else percent(scored.coverage.value),
        train,
        figure(origin),
        f"{rss:.0f}",
        "-" if size is None else f"{size:.0f}",
    )


def _library_row(name: str, took: Measured | Ours, installed: Installed) -> tuple[str, ...]:
    return (
        name,
        took.version,
        installed.version,
        str(installed.packages),
        f"{installed.size_mb:.0f}",
        figure(took.import_wall_s, 2),
    )


def _summary_row(result: Result) -> tuple[str, ...] | None:
    ours, best = result.ours, result.best
    if ours is None or best is None or best.scored is None or best.measured is None:
        return None
    train = best.measured.train_cpu_s if best.system.trained else None
    return (
        result.task.name,
        ours.chosen.rung,
        best.system.label,
        _with_interval(result.judge.ratio(ours.chosen.scored, best.scored), 3),
        _over(ours.chosen, train),
        figure(ours.cpu_s),
    )


def _linear_rows(result: Result) -> list[tuple[str, ...]]:
    ours, best = result.ours, result.best
    if ours is None or best is None or best.scored is None or best.measured is None:
        return []
    train = best.measured.train_cpu_s if best.system.trained else None
    return [
        (
            result.task.name,
            row.rung,
            best.system.label,
            figure(row.scored.mae.value / best.scored.mae.value),
            _over(row, train),
        )
        for row in ours.linear
    ]


def _over(row: Row, train_cpu_s: float | None) -> str:
    """Divide training, and training with trials, by the training of a peer."""
    if not train_cpu_s:
        return figure(None)
    whole = row.train_cpu_s + row.trial_cpu_s
    return f"{figure(row.train_cpu_s / train_cpu_s, 2)} ({figure(whole / train_cpu_s, 2)})"


def _with_interval(interval: Interval, digits: int) -> str:
    value = figure(interval.value, digits)
    decimals = len(value.partition(".")[2])
    if not interval.known:
        return value
    return f"{value} [{interval.low:,.{decimals}f}, {interval.high:,.{decimals}f}]"


def _ends(interval: Interval) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval.known else None
