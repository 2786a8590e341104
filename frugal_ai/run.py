"""One pipeline from end to end: the only place where all rooms of the house meet."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from frugal_ai.accounts import Account, Common, findings
from frugal_ai.bill.bill import make_bill
from frugal_ai.bill.fleet import check_countries
from frugal_ai.bill.folder import BILL, write_bill
from frugal_ai.bill.model import read_model
from frugal_ai.bundles import write_models
from frugal_ai.climb import Climb
from frugal_ai.compress.chosen import compress_original, original_of
from frugal_ai.cost.balance import book_envelope
from frugal_ai.cost.context import CostContext, open_context
from frugal_ai.cost.envelope import Envelope
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.ledger_file import append_ledger
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.cost.record import STORE_MADE
from frugal_ai.errors import CostError, OutputError, TrackingError
from frugal_ai.features.blocks.lag import Last
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.judge import judge
from frugal_ai.leaderboard.export import write_leaderboard
from frugal_ai.outcome import Status, chosen_forecasts, run_report
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared, prepare
from frugal_ai.report import MlflowReport, RunReport

T = TypeVar("T")

_LEDGER = "ledger.jsonl"
_STARTED = "start of the libraries"
_COMPARED = "comparison of the rungs: intervals, verdicts, choice"
_WRITTEN = "bundle, report, forecasts, pictures"


class Watcher(Protocol):
    """Is told how a run goes on."""

    def tell(self, sentence: str) -> None:
        """Hear a remark, on the data for example."""

    def climb(self, rung: str, done: int, total: int) -> None:
        """Hear that a rung is started."""

    def step(self, what: str, done: int, total: int) -> None:
        """Hear how far something else is."""


@dataclass(frozen=True)
class Order:
    """What a user asks a run for.

    Attributes
    ----------
    path
        Pipeline file.
    out
        Folder of the run.
    replacements
        Files to read instead of those in the pipeline, by name.
    tracking_uri
        MLflow store; None for a file beside the run.
    """

    path: Path
    out: Path
    replacements: Mapping[str, Path]
    tracking_uri: str | None = None


def run(pipeline: Pipeline, order: Order, watcher: Watcher) -> RunReport:
    """Climb the ladder, choose, write the bundle and log it all.

    Ctrl-C ends the climb: what is finished is written and logged, and the report says so.

    Raises
    ------
    FrugalError
        If the pipeline cannot be run; nothing half-written is left.
    """
    with open_context(pipeline.cost, order.path.parent, watcher.tell) as context:
        if pipeline.fleet is not None:
            check_countries(pipeline.fleet, context.factors)
        with made_folder(order.out):
            return _run(pipeline, order, watcher, context)


def _run(pipeline: Pipeline, order: Order, watcher: Watcher, context: CostContext) -> RunReport:
    started = int(time.time())
    meter = CpuMeter(pipeline.cost.block_cpu_s, pipeline.cost.blocks, probe=context.probe)
    run_id = f"{pipeline.name}-{_compact(started)}"
    ledger = Ledger(
        context, run_id, pipeline.cost.project or pipeline.name, experiment_id=pipeline.name
    )
    with Envelope(context, pipeline.name) as envelope:
        ready = partial(prepare, pipeline, order.path.parent, order.replacements, watcher.tell)
        booked = Common(meter, ledger)
        prepared = booked("data", "", ready)
        account = partial(Account, meter=meter, ledger=ledger)
        climb = Climb(pipeline, prepared, account, watcher.tell)
        status = _climb(climb, watcher, booked)
        compare = partial(judge, climb.climbed, pipeline, prepared, context.factors)
        judgement = booked("tuning", _COMPARED, compare) if climb.climbed else None
        chosen = judgement.chosen if judgement and status == "finished" else None
        original = original_of(chosen.climbed, pipeline, prepared) if chosen else None
        compressed = None
        if original and pipeline.compress:
            compressed = compress_original(
                original, pipeline, prepared, pipeline.compress, meter, ledger, watcher.step
            )

        def write() -> RunReport:
            report = run_report(
                pipeline, order.path, run_id, started, status, prepared, judgement, context,
                climb.not_run, compressed.report if compressed else None, order.replacements,
            )  # fmt: skip
            if judgement and original:
                report = write_models(order.out, pipeline, prepared, report, original, compressed)
                if forecasts := chosen_forecasts(pipeline, prepared, judgement):
                    forecasts.write(order.out)
            report.write(order.out)
            write_leaderboard(order.out, report)
            return report

        written = booked("deployment", _WRITTEN, write)
    ledger.add("metering", meter.overhead(), note="repeats of short work")
    try:
        book_envelope(ledger, envelope.result)
    except CostError as error:  # CodeCarbon hides its own errors; the run's lines stand without it
        watcher.tell(f"no envelope around the run: {error}")
    ledger.complete(written.data_digest, findings(written))
    ledger.write(order.out / _LEDGER)
    if pipeline.fleet is not None and chosen is not None:
        bill = make_bill(pipeline.fleet, read_model(order.out), context.factors)
        write_bill(bill, pipeline.fleet, context.factors, order.out / BILL)
    report = _log(order, ledger)
    try:
        append_ledger(ledger.records, project_ledger(order.out))
    except OutputError as error:  # the run has its own ledger
        watcher.tell(f"not in the project's ledger: {error}")
    return report


def run_folder(name: str) -> Path:
    """Return the default folder of a run that starts now."""
    return Path("runs") / f"{name}-{_compact(int(time.time()))}"


def project_ledger(run_dir: Path) -> Path:
    """Return the ledger that all runs beside this one append to."""
    return run_dir.absolute().parent / _LEDGER


def _compact(instant: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(instant))


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Create a folder for the time of a run; when the run fails before writing, it goes again.

    Raises
    ------
    OutputError
        If files cannot be written there.
    """
    probe, new = folder / ".probe", not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        if new and not any(folder.iterdir()):
            folder.rmdir()


def _climb(climb: Climb, watcher: Watcher, booked: Common) -> Status:
    rungs = climb.pipeline.rungs
    try:
        booked("features", _STARTED, partial(_warm_up, climb.prepared))
        for done, rung in enumerate(rungs):
            watcher.climb(rung.name, done, len(rungs))
            climb.step(rung)
    except KeyboardInterrupt:
        return "interrupted"
    climb.require_some()
    return "finished"


def _warm_up(prepared: Prepared) -> None:
    """Build and run one graph, so that the first rung is not charged with the libraries' start."""
    graph = FeatureGraph((Last(feature="last"),), prepared.grids[0])
    graph.transform(prepared.series[0].windows(prepared.split.test[:1], graph.reach))


def _log(order: Order, ledger: Ledger) -> RunReport:
    """Log the run folder to MLflow, and book what tracking cost on lines of its own."""
    uri, meter = order.tracking_uri, CpuMeter()

    def booked(note: str, work: Callable[[Path, str | None], T]) -> T:
        result, measured = meter.measure(partial(work, order.out, uri), repeat=False)
        if result is not False:
            ledger.add("metering", measured, note=note)
        return result

    booked("MLflow: import", _load_tracking)
    booked(STORE_MADE, _make_store)
    logged = booked("MLflow: logging", _try_to_log)
    ledger.write(order.out / _LEDGER)
    if logged and logged.run_id:
        from frugal_ai.tracking import log_ledger

        with suppress(TrackingError):  # the store keeps the ledger without the last lines
            log_ledger(order.out, uri or logged.uri, logged.run_id)
    return RunReport.read(order.out)


def _load_tracking(run_dir: Path, uri: str | None) -> None:
    from frugal_ai import tracking

    with suppress(TrackingError):
        tracking.load_store(run_dir, uri)


def _make_store(run_dir: Path, uri: str | None) -> bool:
    from frugal_ai import tracking

    # where it cannot be made, logging says why
    with suppress(TrackingError):
        return tracking.make_store(run_dir, uri)
    return False


def _try_to_log(run_dir: Path, uri: str | None) -> MlflowReport | None:
    from frugal_ai import tracking

    # the report says whether, where, and why not
    with suppress(TrackingError):
        return tracking.log_run(run_dir, uri)
    return None
