"""The chosen rung of a finished run, compressed anew, as other gates may ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError
from pydantic import ValidationError

from frugal_ai.backtest.evaluate import graph_of
from frugal_ai.bill.bill import make_bill
from frugal_ai.bill.folder import BILL, write_bill
from frugal_ai.bill.model import read_model
from frugal_ai.bundles import write_models
from frugal_ai.compress.chosen import compress_original
from frugal_ai.compress.compressor import Step
from frugal_ai.compress.original import ORIGINAL, Original
from frugal_ai.cost.context import open_context
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.ledger_file import append_ledger
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.errors import CompressionError, DataError
from frugal_ai.export.model import OnnxModel
from frugal_ai.export.versions import TREES
from frugal_ai.leaderboard.export import write_leaderboard
from frugal_ai.pipeline import Pipeline, parse_pipeline
from frugal_ai.prepare import Prepared, prepare, task
from frugal_ai.report import RunReport
from frugal_ai.selection.compression import Compression
from frugal_ai.settings import describe

_RUN, _LEDGER = "run.json", "ledger.jsonl"
_DOMAINS = ("", TREES)


def run_folder_of(path: Path) -> Path:
    """Return the run folder that a path is, or that a bundle lies in.

    Raises
    ------
    CompressionError
        If it is neither.
    """
    for folder in (path, *path.resolve().parents):
        if (folder / _RUN).is_file():
            return folder
    raise CompressionError(
        f"{path}: expected a run folder, or a bundle in one: students learn from the data of the "
        f"run, and are tested on them; there is no {_RUN} here or above"
    )


def recompress(
    path: Path, gates: dict[str, Any], tell: Callable[[str], None], step: Step
) -> tuple[RunReport, Path]:
    """Compress what a run has chosen, and put the result in the place of its bundle.

    Parameters
    ----------
    path
        Run folder, or a bundle in it.
    gates
        Of `Compression`, in the place of the pipeline's.
    tell
        Hears remarks on the data.
    step
        Hears which candidate is made.

    Returns
    -------
    tuple[RunReport, Path]
        The run's report, and its folder.

    Raises
    ------
    FrugalError
        If it cannot be done; what was there stays.
    """
    run_dir = run_folder_of(path)
    report = RunReport.read(run_dir)
    if report.chosen is None or report.pipeline_file is None:
        raise CompressionError(f"{run_dir}: expected a run that has chosen a rung, it has not")
    file = Path(report.pipeline_file)
    pipeline = parse_pipeline(report.pipeline_yaml, file)
    replaced = {name: Path(text) for name, text in report.replacements.items()}
    prepared = prepare(pipeline, file.parent, replaced, tell)
    if prepared.panel.digest() != report.data_digest:
        raise DataError(f"{run_dir}: the data of {file} have changed since the run; run it again")
    original = _original(run_dir, pipeline, prepared, report.chosen)
    rule = _rule(pipeline, gates)
    with open_context(pipeline.cost, file.parent, tell) as context:
        ledger = Ledger(
            context,
            f"{report.run_id}-compress",
            pipeline.cost.project or pipeline.name,
            dataset_id=report.data_digest,
            experiment_id=pipeline.name,
        )
        meter = CpuMeter(pipeline.cost.block_cpu_s, pipeline.cost.blocks, probe=context.probe)
        compressed = compress_original(original, pipeline, prepared, rule, meter, ledger, step)
    ledger.add("metering", meter.overhead(), note="repeats of short work")
    report = report.model_copy(update={"compression": compressed.report})
    report = write_models(run_dir, pipeline, prepared, report, original, compressed)
    report.write(run_dir)
    write_leaderboard(run_dir, report)
    append_ledger(ledger.records, run_dir / _LEDGER)
    if pipeline.fleet is not None:
        bill = make_bill(pipeline.fleet, read_model(run_dir), context.factors)
        write_bill(bill, pipeline.fleet, context.factors, run_dir / BILL)
    append_ledger(ledger.records, run_dir.absolute().parent / _LEDGER)
    return report, run_dir


def _rule(pipeline: Pipeline, gates: dict[str, Any]) -> Compression:
    declared = (pipeline.compress or Compression()).model_dump()
    try:
        return Compression.model_validate(declared | gates)
    except ValidationError as error:
        raise CompressionError(f"compress: {describe(error)}") from error


def _original(run_dir: Path, pipeline: Pipeline, prepared: Prepared, chosen: str) -> Original:
    rung = next(rung for rung in pipeline.rungs if rung.name == chosen)
    seen = task(pipeline, prepared).seen_by(rung)
    folder = run_dir / (ORIGINAL if (run_dir / ORIGINAL).exists() else "bundle")
    single = len(prepared.series) == 1
    return Original(
        rung=rung,
        task=seen,
        graphs=tuple(graph_of(rung, seen, i) for i in range(len(prepared.series))),
        exported=tuple(
            _exported(folder if single else folder / series.name) for series in prepared.series
        ),
    )


def _exported(folder: Path) -> OnnxModel:
    try:
        content = open_bundle(folder).content["model.onnx"]
    except EdgeError as error:
        raise CompressionError(str(error)) from error
    for node in onnx.load_model_from_string(content).graph.node:
        if node.domain not in _DOMAINS:
            raise CompressionError(
                f"{folder / 'model.onnx'}: expected operators of ONNX alone, got {node.op_type} of "
                f"{node.domain}"
            )
    return OnnxModel.read(content)
