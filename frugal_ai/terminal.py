"""What a user sees: progress on standard error, results on standard output."""

import json
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from frugal_ai.check import Check
from frugal_ai.export.example import HISTORY, KNOWN
from frugal_ai.leaderboard.compression import compression_sentence, compression_table
from frugal_ai.leaderboard.render import ladder_table, leaderboard_tables
from frugal_ai.report import RungRow, RunReport, TuningReport
from frugal_ai.report.compression import CompressionReport
from frugal_ai.wording import mass


class Terminal:
    """Follows a run and prints what comes out of it.

    Parameters
    ----------
    quiet
        Print neither progress nor remarks.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = Console(highlight=False)
        self._err = Console(stderr=True, highlight=False, quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._err,
            transient=True,
            auto_refresh=False,  # its thread would count as the rung's CPU time
            disable=quiet or not self._err.is_terminal,
        )
        self._task = self._progress.add_task("data", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def tell(self, sentence: str) -> None:
        """Print a remark, on the data for example."""
        self._err.print(sentence, soft_wrap=True, markup=False)

    def climb(self, rung: str, done: int, total: int) -> None:
        """Show which rung is climbed; a plain line where standard error is not a terminal."""
        self._progress.update(
            self._task, description=rung, completed=done, total=total, refresh=True
        )
        if not self._err.is_terminal:
            self.tell(f"rung {done + 1} of {total}: {rung}")

    def step(self, what: str, done: int, total: int) -> None:
        """Show how far something is, on a terminal only."""
        self._progress.update(
            self._task, description=what, completed=done, total=total, refresh=True
        )

    def wait(self, seconds: float, reason: str) -> None:
        """Show for how long [s] and why nothing goes on, on a terminal only."""
        what = f"waits {seconds:.0f} s: {reason}"
        self._progress.update(self._task, description=escape(what[:60]), refresh=True)

    def print_run(self, report: RunReport, out: Path) -> None:
        """Print the ladder, the choice, and where everything lies."""
        warnings = {"simulated data": report.simulated,
                    "perfect weather": report.weather == "perfect"}  # fmt: skip
        said = ", ".join(text for text, holds in warnings.items() if holds)
        self._say(f"{report.title or report.pipeline}{f'  ({said})' if said else ''}")
        if report.rungs:
            self._out.print(ladder_table(report))
        for rung in report.rungs:
            if rung.tuning:
                self._say(_search(rung.rung, rung.tuning))
        for left in report.not_run:
            self._say(left.sentence)
        if report.chosen:
            self._say(f"chosen: {report.chosen}. {report.reason}\n")
        elif report.status == "finished":
            self._say(f"nothing is chosen. {report.reason}\n")
        else:
            self._say("interrupted: what was finished is kept, nothing was chosen.\n")
        if report.compression:
            self.print_compression(report.compression)
        for bundle in report.bundles:
            self._say(f"bundle   {out / bundle}")
        if report.bundles:
            self._say(f"try it   {_try(report, out)}")
        self._say(_files(out))
        self._say(_tracking(report, out))

    def print_compression(self, found: CompressionReport) -> None:
        """Print every candidate and which one is shipped."""
        self._out.print(compression_table(found))
        self._say(f"{compression_sentence(found)}\n")

    def print_check(self, check: Check) -> None:
        """Print what a run would do."""
        width = max(len(label) for label, _ in check.facts)
        for label, text in check.facts:
            self._say(f"{label:{width}}  {text}")
        self._say("")

    def print_leaderboard(self, rows: Sequence[RungRow]) -> None:
        """Print every logged rung."""
        for table in leaderboard_tables(rows):
            self._out.print(table)

    def _say(self, text: str) -> None:
        self._out.print(text, soft_wrap=True, markup=False)


def summary_json(report: RunReport, out: Path) -> str:
    """Write the result of a run as one JSON object, for ``--json``."""
    figures = {
        "rung", "mae", "rmse", "nmae", "mase", "skill", "skill_ci", "fit_cpu_s", "energy_wh",
        "co2e_g", "co2e_g_per_1000", "verdict",
    }  # fmt: skip
    return json.dumps(
        {
            "pipeline": report.pipeline,
            "weather": report.weather,
            "chosen": report.chosen,
            "bundle": str(out / PurePosixPath(report.bundles[0]).parts[0])
            if report.bundles
            else None,
            "rungs": [rung.model_dump(mode="json", include=figures) for rung in report.rungs],
            "not_run": [left.model_dump(mode="json") for left in report.not_run],
        }
    )


def _search(rung: str, bill: TuningReport) -> str:
    return f"tuned: {rung}, {bill.trials} trials, {bill.cpu_s:.3g} CPU-s, {mass(bill.co2e_g)}"


def _files(out: Path) -> str:
    files = {"bill": "bill/bill.json", "picture": "pareto.svg", "ledger": "ledger.jsonl"}
    there = {name: out / file for name, file in files.items() if name != "bill" or
             (out / file).is_file()}  # fmt: skip
    return "\n".join(f"{name:9}{file}" for name, file in there.items())


def _try(report: RunReport, out: Path) -> str:
    """Write the command that forecasts from the (first) bundle as a gateway does."""
    example = out / "example"
    known = f" --known {example / KNOWN}" if (example / KNOWN).exists() else ""
    bundle = out / report.bundles[0]
    return f"frugal-edge forecast {bundle} --history {example / HISTORY}{known}"


def _tracking(report: RunReport, out: Path) -> str:
    logged = report.mlflow
    if logged is None or not logged.logged:
        why = f": {logged.why}" if logged else ""
        return f"mlflow   not logged{why}; later: frugal-ai log {out}"
    if not logged.uri.startswith("sqlite"):
        return f"mlflow   {logged.uri}"
    return f"mlflow   {_install_pages()}mlflow ui --backend-store-uri {logged.uri}"


def _install_pages() -> str:
    """Write what installs MLflow's pages, which mlflow-skinny lacks and mlflow has."""
    if any(distributions(name="mlflow")):
        return ""
    return f"pip install mlflow=={version('mlflow-skinny')} && "
