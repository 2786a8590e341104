"""What a bill needs to know of a model: read from a run folder or from a bundle alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError

from frugal_ai.bill.basis import Work
from frugal_ai.cost.ledger_file import read_lines
from frugal_ai.cost.record import Record, Stage
from frugal_ai.errors import CostError
from frugal_ai.report import RungReport, RunReport
from frugal_ai.units import kwh

_MADE: frozenset[str] = frozenset({"features", "tuning", "training"})
_COMPRESSED: frozenset[str] = frozenset({"distillation", "quantization"})
_KNOWN_SPREAD = 2.0


@dataclass(frozen=True)
class Model:
    """A model, what making it took, and what one forecast of it takes.

    Attributes
    ----------
    name
        Of the model.
    run
        Everything that the run took, rungs that were not chosen and trials included, by stage.
    retraining
        What making this model once more takes.
    cpu_s
        CPU time of one forecast, warm, where the run was made [s].
    bundle_bytes
        All files of its bundle.
    country, pue
        Where the run was made.
    power_spread
        Of the power model: the truth lies within this factor in 90 % of cases.
    repeat_std
        Relative standard deviation of measured CPU time [1].
    pays_after
        Forecasts after which compressing has paid; None where there is no figure.
    notes
        What a reader should know of how this was found.
    """

    name: str
    run: Mapping[Stage, Work]
    retraining: Work
    cpu_s: float
    bundle_bytes: int
    country: str
    pue: float
    power_spread: float = _KNOWN_SPREAD
    repeat_std: float = 0.0
    pays_after: float | None = None
    notes: tuple[str, ...] = ()


def read_model(path: Path) -> Model:
    """Read a run folder, or a bundle.

    Raises
    ------
    CostError
        If it is neither, or a figure that the bill needs is missing.
    """
    if (path / "run.json").is_file():
        return _of_run(path)
    if (path / "manifest.json").is_file():
        return _of_bundle(path)
    raise CostError(f"{path}: expected a run folder (run.json) or a bundle (manifest.json)")


def _of_run(folder: Path) -> Model:
    report = RunReport.read(folder)
    chosen = next((rung for rung in report.rungs if rung.chosen), None)
    if chosen is None or chosen.latency_us is None:
        raise CostError(f"{folder}: expected a run that has chosen a rung, it has not")
    ledger = read_lines(folder / "ledger.jsonl")
    records = tuple(one for one in ledger.records if one.energy_method != "factor")
    run: dict[Stage, Work] = {}
    for one in records:
        run[one.stage] = run.get(one.stage, Work()) + _work(one)
    cpu_s, name = _forecast(report, chosen)
    return Model(
        name=name,
        run=run,
        retraining=sum((_work(one) for one in records if _again(one, chosen.rung)), Work()),
        cpu_s=cpu_s,
        bundle_bytes=sum(_bytes(folder / bundle) for bundle in report.bundles[:1]),
        country=report.context.country,
        pue=report.context.pue,
        power_spread=report.context.energy_spread or _KNOWN_SPREAD,
        repeat_std=chosen.co2e_spread or 0.0,
        pays_after=report.compression.pays_after if report.compression else None,
        notes=tuple(ledger.problems),
    )


def _forecast(report: RunReport, chosen: RungReport) -> tuple[float, str]:
    """Return the CPU time of a forecast of what is shipped [s], and its name."""
    found = report.compression
    if found is not None:
        shipped = found.of(found.shipped)
        name = chosen.rung if found.shipped == "original" else f"{chosen.rung}-{found.shipped}"
        return shipped.cpu_us / 1e6, name
    return (chosen.latency_us or 0.0) / 1e6, chosen.rung  # one thread, warm: wall is CPU time


def _work(record: Record) -> Work:
    joules = record.energy_dynamic_J + record.energy_idle_share_J
    return Work(
        kwh=kwh(joules) + record.ram_energy / record.pue,
        vcpu_h=record.n_threads * record.wall_s / 3600,
    )


def _again(record: Record, rung: str) -> bool:
    """Whether retraining the chosen rung does this, too."""
    return record.stage in _COMPRESSED or (record.rung == rung and record.stage in _MADE)


def _bytes(bundle: Path) -> int:
    return sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file())


def _of_bundle(folder: Path) -> Model:
    try:
        manifest = open_bundle(folder).manifest
    except EdgeError as error:
        raise CostError(str(error)) from error
    costs: Mapping[str, Any] = manifest.costs
    file = folder / "manifest.json"
    needed = ("training_energy_wh", "fit_cpu_s", "country", "pue", "intensity_g_per_kwh")
    for name in needed:
        if name not in costs:
            raise CostError(f"{file}: costs.{name}: expected, it is missing")
    site_wh = costs["training_energy_wh"]
    made = Work(site_wh / 1000 / costs["pue"], costs["fit_cpu_s"] / 3600)
    squeezed = Work(
        costs.get("compression_co2e_g", 0.0) / costs["intensity_g_per_kwh"] / costs["pue"]
    )
    return Model(
        name=manifest.rung,
        run={"training": made, "distillation": squeezed},
        retraining=made + squeezed,
        cpu_s=_cpu_us(costs, manifest.metrics, file) / 1e6,
        bundle_bytes=_bytes(folder),
        country=costs["country"],
        pue=costs["pue"],
        power_spread=costs.get("energy_spread", _KNOWN_SPREAD),
        pays_after=costs.get("compression_pays_after_forecasts"),
        notes=("from a bundle alone: the rungs that were not chosen are not on the bill",),
    )


def _cpu_us(costs: Mapping[str, Any], metrics: Mapping[str, Any], where: Path) -> float:
    """Find the CPU time of a forecast [us]; bundles say it since they bear the whole bill."""
    compression = metrics.get("compression")
    if "cpu_us_per_forecast" in costs:
        return float(costs["cpu_us_per_forecast"])
    if isinstance(compression, Mapping) and "cpu_us" in compression:
        return float(compression["cpu_us"])
    raise CostError(
        f"{where}: costs.cpu_us_per_forecast: expected, it is missing; give the run folder instead"
    )
