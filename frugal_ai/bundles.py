"""The bundles of a run: one for each series, of what is shipped and of what it was made from."""

import shutil
from pathlib import Path

from frugal_ai.compress.compressor import Compressed
from frugal_ai.compress.original import ORIGINAL, Candidate, Original, as_it_is
from frugal_ai.export.bundle import Provenance, write_bundle
from frugal_ai.export.card import model_card
from frugal_ai.export.example import write_example
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared
from frugal_ai.report import RungReport, RunReport
from frugal_ai.report.compression import CandidateReport


def write_bundles(
    out: Path,
    pipeline: Pipeline,
    prepared: Prepared,
    report: RunReport,
    shipped: Candidate,
    name: str = "bundle",
) -> tuple[str, ...]:
    """Write the model of each series; a single series has its bundle in the folder itself.

    Parameters
    ----------
    report
        Of the run, which has chosen a rung.
    shipped
        The chosen model, as it is or compressed.
    name
        Of the folder in ``out``.

    Returns
    -------
    tuple[str, ...]
        Folders, relative to the run's.

    Raises
    ------
    ExportError, OutputError
        If a bundle cannot be made or written.
    """
    row = next(rung for rung in report.rungs if rung.chosen)
    said = report.compression.of(shipped.kind) if report.compression else None
    costs, metrics = _costs(row, report, said), _metrics(row, report, said)
    provenance = Provenance(
        created=int(report.started.timestamp()),
        data_digest=report.data_digest,
        git_revision=report.git_revision,
        metrics=metrics,
        costs=costs,
        mlflow={"experiment": pipeline.name, "frugal_run_id": report.run_id},
    )
    folders = []
    for series, graph, exported in zip(
        prepared.series, shipped.graphs, shipped.exported, strict=True
    ):
        folder = Path(name) if len(prepared.series) == 1 else Path(name) / series.name
        write_bundle(
            out / folder,
            pipeline=pipeline,
            rung=row.rung if shipped.kind == ORIGINAL else f"{row.rung}-{shipped.kind}",
            series=series,
            graph=graph,
            exported=exported,
            origins=prepared.split.test,
            provenance=provenance,
            card=model_card(pipeline, series.name, report, costs),
        )
        folders.append(folder.as_posix())
    return tuple(folders)


def write_models(
    out: Path,
    pipeline: Pipeline,
    prepared: Prepared,
    report: RunReport,
    original: Original,
    compressed: Compressed | None,
) -> RunReport:
    """Write what is shipped, and beside it, in ``original``, the chosen rung that it was made from.

    Inputs to try a bundle with go there, too.

    Returns
    -------
    RunReport
        The report with the folders of the bundles.

    Raises
    ------
    ExportError, OutputError
        If something cannot be made or written.
    """
    whole = as_it_is(original)
    shipped = compressed.shipped if compressed else whole
    bundles = write_bundles(out, pipeline, prepared, report, shipped)
    if shipped.kind != ORIGINAL:
        write_bundles(out, pipeline, prepared, report, whole, ORIGINAL)
    else:
        shutil.rmtree(out / ORIGINAL, ignore_errors=True)  # of an earlier compression
    origin = int(prepared.split.test[-1])
    # what the chosen rung reads, which is no less than what is left of it
    write_example(out / "example", prepared.series[0], whole.graphs[0], origin)
    return report.model_copy(update={"bundles": bundles})


def _metrics(
    row: RungReport, report: RunReport, compressed: CandidateReport | None
) -> dict[str, object]:
    """Return the figures of the chosen rung, and what compression left of them."""
    names = {"mae", "mae_ci", "rmse", "nmae", "mase", "skill", "skill_ci", "verdict"}
    if row.levels:
        names |= {
            "pinball", "npinball", "crps", "coverage", "coverage_ci", "coverage_nominal",
            "sharpness", "nsharpness",
        }  # fmt: skip
    figures = row.model_dump(mode="json", include=names) | {"origins": report.origins.test}
    if report.compression and compressed and compressed.kind != ORIGINAL:
        original = report.compression.of(ORIGINAL)
        figures["compression"] = {
            "original": report.compression.original,
            "original_bytes": original.bytes,
            "original_latency_us": original.latency_us,
            **compressed.model_dump(mode="json"),
        }
    return figures


def _costs(
    row: RungReport, report: RunReport, compressed: CandidateReport | None
) -> dict[str, object]:
    context, compression = report.context, report.compression
    costs: dict[str, object] = {
        "training_energy_wh": row.energy_wh,
        "training_co2e_g": row.co2e_g,
        "co2e_g_per_1000_forecasts": compressed.co2e_g_per_1000
        if compressed
        else row.co2e_g_per_1000,
        "cpu_us_per_forecast": compressed.cpu_us if compressed else row.latency_us,
        "fit_cpu_s": row.fit_cpu_s,
        "energy_method": context.energy_method,
        "energy_spread": context.energy_spread,
        "intensity_g_per_kwh": context.intensity_g_per_kwh,
        "country": context.country,
        "pue": context.pue,
        "hardware": context.hardware.label,
    }
    if compression:
        costs["compression_co2e_g"] = compression.co2e_g
        costs["compression_pays_after_forecasts"] = compression.pays_after
    return costs
