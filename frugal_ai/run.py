"""One pipeline from end to end: the only place where all rooms of the house meet."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from frugal_ai.accounts import Account
from frugal_ai.backtest.evaluate import evaluate
from frugal_ai.backtest.origins import stamp
from frugal_ai.cost.balance import book_envelope
from frugal_ai.cost.context import build_context
from frugal_ai.cost.envelope import Envelope
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.errors import OutputError
from frugal_ai.export.bundle import Provenance, write_bundle
from frugal_ai.export.card import model_card
from frugal_ai.export.model import check_parity, to_onnx
from frugal_ai.judge import Climbed, Judged, Judgement, judge
from frugal_ai.ladder.rung import Rung
from frugal_ai.leaderboard.export import write_leaderboard
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared, prepare
from frugal_ai.provenance import git_revision, versions
from frugal_ai.report import RunReport

_LEDGER = "ledger.jsonl"


class Watcher(Protocol):
    """Is told how a run goes on."""

    def tell(self, sentence: str) -> None:
        """Hear a remark, on the data for example."""

    def climb(self, rung: str, done: int, total: int) -> None:
        """Hear that a rung is started."""


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
    started = int(time.time())
    make_folder(order.out)
    context = build_context(pipeline.cost)
    meter = CpuMeter(pipeline.cost.block_cpu_s, pipeline.cost.blocks)
    run_id = f"{pipeline.name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started))}"
    ledger = Ledger(context, run_id, pipeline.name)
    with Envelope(context, pipeline.name) as envelope:
        ready = partial(_ready, pipeline, order, watcher)
        prepared, measured = meter.measure(ready, repeat=False)
        ledger.add("data", measured)
        climbed, status = _climb(pipeline, prepared, meter, ledger, watcher)
        judgement = judge(climbed, pipeline, prepared) if climbed else None
        report = _report(pipeline, order, prepared, judgement, started, run_id, status, ledger)
        if judgement and status == "finished":
            report = _bundle(pipeline, order.out, prepared, judgement, report, started)
        report.write(order.out)
        write_leaderboard(order.out, report)
    ledger.add("metering", meter.overhead(), note="repeats of short work")
    book_envelope(ledger, envelope.result)
    return log(order.out, report, ledger, meter, order.tracking_uri)


def _ready(pipeline: Pipeline, order: Order, watcher: Watcher) -> Prepared:
    return prepare(pipeline, order.path.parent, order.replacements, watcher.tell)


def make_folder(folder: Path) -> None:
    """Create a folder, and make sure that files can be written there.

    Raises
    ------
    OutputError
        If not.
    """
    probe = folder / ".probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def _climb(
    pipeline: Pipeline, prepared: Prepared, meter: CpuMeter, ledger: Ledger, watcher: Watcher
) -> tuple[list[Climbed], str]:
    climbed: list[Climbed] = []
    try:
        for done, rung in enumerate(pipeline.rungs):
            watcher.climb(rung.name, done, len(pipeline.rungs))
            climbed.append(_climb_rung(pipeline, prepared, rung, Account(rung.name, meter, ledger)))
    except KeyboardInterrupt:
        return climbed, "interrupted"
    return climbed, "finished"


def _climb_rung(pipeline: Pipeline, prepared: Prepared, rung: Rung, account: Account) -> Climbed:
    split = prepared.split
    evaluation = evaluate(
        rung, pipeline.recipe, prepared.series, prepared.grids, split, pipeline.seed, account
    )
    exported = tuple(to_onnx(model) for model in evaluation.models)
    for series, model, graph, native in zip(
        prepared.series, evaluation.models, exported, evaluation.test, strict=True
    ):
        windows = series.windows(split.test, model.graph.reach)
        mean = float(np.nanmean(np.abs(series.panel.values[series.index])))
        account.replay(partial(check_parity, graph, windows, native, mean))
    first = evaluation.models[0].graph.reach
    one = prepared.series[0].windows(split.test[:1], first)
    cost = account.close(exported[0].forecaster(one))
    return Climbed(rung, evaluation, exported, cost, int(time.time()))


def _report(
    pipeline: Pipeline,
    order: Order,
    prepared: Prepared,
    judgement: Judgement | None,
    started: int,
    run_id: str,
    status: str,
    ledger: Ledger,
) -> RunReport:
    context = ledger.context
    return RunReport.model_validate(
        {
            "schema_version": 1,
            "run_id": run_id,
            "pipeline": pipeline.name,
            "title": pipeline.title,
            "kind": pipeline.kind,
            "unit": pipeline.unit,
            "simulated": prepared.panel.simulated,
            "started": stamp(started),
            "ended": stamp(int(time.time())),
            "status": status,
            "git_revision": git_revision(order.path.parent),
            "data_digest": prepared.panel.digest(),
            "pipeline_yaml": order.path.read_text(encoding="utf-8"),
            "seed": pipeline.seed,
            "context": {
                "country": context.country,
                "intensity_g_per_kwh": context.intensity.value,
                "pue": context.pue,
                "hardware": asdict(context.hardware),
                "energy_method": context.power.method,
                "threads": context.threads,
            },
            "versions": versions(),
            "origins": {
                "validation": len(prepared.split.validation),
                "test": len(prepared.split.test),
            },
            "chosen": judgement.choice.rung if judgement and status == "finished" else None,
            "reason": judgement.choice.reason if judgement and status == "finished" else "",
            "bundles": [],
            "rungs": [_row(one, judgement) for one in judgement.rungs] if judgement else [],
            "mlflow": None,
        }
    )


def _row(judged: Judged, judgement: Judgement) -> dict[str, Any]:
    one, gain = judged.climbed, judged.verdict.gain
    return {
        "rung": one.rung.name,
        "family": one.rung.family,
        "params": one.rung.model_dump(mode="json"),
        "mae": judged.score.mae,
        "rmse": judged.score.rmse,
        "nmae": judged.score.nmae,
        "mase": judged.score.mase,
        "skill": judged.skill.value,
        "skill_ci": judged.skill.bounds,
        "validation_mae": judged.validation_mae,
        "gain": gain.value if gain else None,
        "gain_ci": gain.bounds if gain else None,
        "gain_over": judged.verdict.over,
        "fit_cpu_s": one.cost.fit_cpu_s,
        "energy_wh": one.cost.training.energy_wh,
        "co2e_g": one.cost.training.co2e_g,
        "co2e_g_per_1000": one.cost.per_1000.co2e_g,
        "cpu_time_rel_std": one.cost.spread,
        "bytes": one.bytes,
        "latency_us": one.cost.latency_us,
        "verdict": judged.verdict.verdict,
        "chosen": one.rung.name == judgement.choice.rung,
        "ended": stamp(one.ended),
    }


def _bundle(
    pipeline: Pipeline,
    out: Path,
    prepared: Prepared,
    judgement: Judgement,
    report: RunReport,
    started: int,
) -> RunReport:
    """Write a bundle for each series; one series has its bundle in the folder itself."""
    chosen = judgement.chosen
    row = _row(chosen, judgement)
    costs = {
        "training_energy_wh": row["energy_wh"],
        "training_co2e_g": row["co2e_g"],
        "co2e_g_per_1000_forecasts": row["co2e_g_per_1000"],
        "fit_cpu_s": row["fit_cpu_s"],
        "energy_method": report.context.energy_method,
        "intensity_g_per_kwh": report.context.intensity_g_per_kwh,
        "country": report.context.country,
        "pue": report.context.pue,
        "hardware": report.context.hardware["cpu_model"],
    }
    metrics = {key: row[key] for key in ("mae", "rmse", "nmae", "mase", "skill", "skill_ci")} | {
        "origins": len(prepared.split.test),
        "verdict": row["verdict"],
    }
    folders = []
    for series, model, exported in zip(
        prepared.series, chosen.climbed.evaluation.models, chosen.climbed.exported, strict=True
    ):
        folder = Path("bundle") if len(prepared.series) == 1 else Path("bundle") / series.name
        card = model_card(
            pipeline,
            series.name,
            row["rung"],
            simulated=report.simulated,
            reason=report.reason,
            ladder=[_row(one, judgement) for one in judgement.rungs],
            costs=costs,
            data_digest=report.data_digest,
            git_revision=report.git_revision,
        )
        write_bundle(
            out / folder,
            pipeline=pipeline,
            rung=row["rung"],
            series=series,
            model=model,
            exported=exported,
            origins=prepared.split.test,
            provenance=Provenance(
                created=started,
                data_digest=report.data_digest,
                git_revision=report.git_revision,
                metrics=metrics,
                costs=costs,
                mlflow={"experiment": pipeline.name, "frugal.run_id": report.run_id},
            ),
            card=card,
        )
        folders.append(str(folder))
    return report.model_copy(update={"bundles": tuple(folders)})
