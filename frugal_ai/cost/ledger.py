"""The run's bill: one record for each piece of work."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from frugal_ai.cost.context import Cost, CostContext, total_cost
from frugal_ai.cost.ledger_file import write_ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.power.model import Energy
from frugal_ai.cost.record import RECORD_VERSION, STAGES, Record, Stage
from frugal_ai.errors import CostError
from frugal_ai.units import J_PER_KWH, gco2e


@dataclass(frozen=True)
class Size:
    """Of what a model learns from: values of the target, and features of each."""

    rows: int
    features: int


@dataclass(frozen=True)
class Finding:
    """What a run knows of a rung only after its work was booked.

    Attributes
    ----------
    metric_name, metric_value, metric_ci
        Accuracy, with its unit in the name.
    cold_start_cpu_s
        CPU time of a process until its first forecast [s].
    """

    metric_name: str
    metric_value: float | None
    metric_ci: tuple[float, float] | None
    cold_start_cpu_s: float | None = None


class Ledger:
    """Records of one run, in the order of booking.

    Parameters
    ----------
    context
        Turns measurements into costs.
    run_id, project_name, dataset_id, experiment_id
        Identity, on every record; the last is the pipeline, by default the project.
    """

    def __init__(
        self,
        context: CostContext,
        run_id: str,
        project_name: str,
        dataset_id: str = "",
        experiment_id: str = "",
    ) -> None:
        self.context = context
        self._identity: dict[str, Any] = {
            "run_id": run_id,
            "project_name": project_name,
            "dataset_id": dataset_id,
            "experiment_id": experiment_id or project_name,
        }
        self._records: list[Record] = []

    @property
    def records(self) -> tuple[Record, ...]:
        """Everything booked so far."""
        return tuple(self._records)

    def add(
        self,
        stage: Stage,
        measurement: Measurement,
        *,
        rung: str = "",
        model_id: str = "",
        note: str = "",
        size: Size | None = None,
    ) -> Record:
        """Book one execution of measured work.

        Raises
        ------
        CostError
            If the stage is not one, or a measured time is negative or not finite.
        """
        energy = self.context.energy(measurement)
        cost = self.context.cost_of(energy, measurement.cpu_s, measurement.wall_s)
        return self.book(
            stage, measurement, cost, energy, rung=rung, model_id=model_id, note=note, size=size
        )

    def book(
        self,
        stage: Stage,
        measurement: Measurement,
        cost: Cost,
        energy: Energy,
        *,
        rung: str = "",
        model_id: str = "",
        ram_kwh: float = 0.0,
        codecarbon_version: str | None = None,
        note: str = "",
        size: Size | None = None,
    ) -> Record:
        """Book a cost that was obtained in another way than from the measurement's times.

        Parameters
        ----------
        stage, measurement, cost
            What for, how measured, how much.
        energy
            That the cost follows from, with its method and quality.
        rung, model_id, note
            What the cost belongs to, and what a reader should know.
        ram_kwh
            Energy of memory, at the site's meter [kWh].
        codecarbon_version
            If the energy is CodeCarbon's.
        size
            Of what was learnt from.

        Raises
        ------
        CostError
            If the stage is not one.
        """
        if stage not in STAGES:
            raise CostError(f"ledger: expected a stage of {', '.join(STAGES)}, got {stage!r}")
        record = Record(
            record_version=RECORD_VERSION,
            record_id=f"{self._identity['run_id']}-{len(self._records):04d}",
            timestamp=datetime.now(UTC).isoformat(timespec="seconds"),
            stage=stage,
            rung=rung,
            model_id=model_id,
            load_avg_1m=_load(),
            note=note,
            **self._identity,
            **_method(energy, codecarbon_version),
            **_sized(size),
            **_measured(measurement),
            **_amounts(cost, ram_kwh, energy.spread, self.context),
            **_circumstances(self.context),
        )
        self._records.append(record)
        return record

    def complete(self, dataset_id: str, found: Mapping[str, Finding]) -> None:
        """Say of all lines what data they worked on, and of a rung's what it came to.

        Accuracy stands on the lines of its training, the cold start on those of its forecasts.
        """
        self._identity["dataset_id"] = dataset_id
        self._records = [
            replace(one, dataset_id=dataset_id, **_of(found.get(one.rung), one.stage))
            for one in self._records
        ]

    def total(self, stage: Stage | None = None, rung: str | None = None) -> Cost:
        """Add up what was booked, on a stage, for a rung, or both."""
        return total_cost(
            _cost(record)
            for record in self._records
            if stage in {None, record.stage} and rung in {None, record.rung}
        )

    def write(self, path: Path) -> None:
        """Write one JSON object per line, atomically.

        Raises
        ------
        OutputError
            If the file cannot be written; nothing half-written is left behind.
        """
        write_ledger(self._records, path)


def _of(found: Finding | None, stage: Stage) -> dict[str, Any]:
    if found is None:
        return {}
    if stage == "training":
        names = ("metric_name", "metric_value", "metric_ci")
        return {name: getattr(found, name) for name in names}
    return {"cold_start_cpu_s": found.cold_start_cpu_s} if stage == "inference" else {}


def _sized(size: Size | None) -> dict[str, Any]:
    return {} if size is None else {"n_rows": size.rows, "n_features": size.features}


def _method(energy: Energy, codecarbon_version: str | None) -> dict[str, Any]:
    return {
        "energy_method": "codecarbon" if codecarbon_version else energy.method,
        "quality": energy.quality,
        "codecarbon_version": codecarbon_version,
        "tracking_mode": "process" if codecarbon_version else None,
    }


def _measured(measurement: Measurement) -> dict[str, Any]:
    return {
        "n_repeats": measurement.n_repeats,
        "n_blocks": measurement.n_blocks,
        "children_cpu_time_s": measurement.children_cpu_s,
        "cpu_time_rel_spread": measurement.rel_spread,
        "rss_peak_bytes": measurement.rss_peak_bytes,
    }


def _amounts(cost: Cost, ram_kwh: float, spread: float, context: CostContext) -> dict[str, Any]:
    consumed = cost.energy_wh / 1000 + ram_kwh
    joules = cost.energy_dynamic_j + cost.energy_idle_j
    # sorted, because what is unattributed may be negative
    p05, p95 = sorted((joules / spread, joules * spread))
    low, high = _scenarios(consumed, context)
    return {
        "duration": cost.wall_s,
        "cpu_power": _rate(joules, cost.wall_s),
        "ram_power": _rate(ram_kwh * J_PER_KWH / context.pue, cost.wall_s),
        "emissions_rate": _rate(consumed * context.intensity.value / 1000, cost.wall_s),
        "wall_s": cost.wall_s,
        "cpu_time_s": cost.cpu_s,
        "cpu_energy": cost.energy_wh / 1000,
        "ram_energy": ram_kwh,
        "energy_consumed": consumed,
        "energy_dynamic_J": cost.energy_dynamic_j,
        "energy_idle_share_J": cost.energy_idle_j,
        "energy_J_p05": p05,
        "energy_J_p95": p95,
        "emissions": consumed * context.intensity.value / 1000,
        "emissions_low_kg": low,
        "emissions_high_kg": high,
    }


def _rate(amount: float, wall_s: float) -> float | None:
    return amount / wall_s if wall_s > 0 else None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _scenarios(consumed_kwh: float, context: CostContext) -> tuple[float | None, float | None]:
    """Return the emissions that the scenarios of the intensity allow [kgCO2e]."""
    low, high = context.intensity.low, context.intensity.high
    if low is None or high is None:
        return None, None
    below, above = sorted((consumed_kwh * low / 1000, consumed_kwh * high / 1000))
    return below, above


def _circumstances(context: CostContext) -> dict[str, Any]:
    power, intensity, hardware = context.power, context.intensity, context.hardware
    return {
        "n_threads": context.threads,
        "w_per_core_dynamic": power.w_per_core_dynamic,
        "w_idle_share": power.w_idle_share,
        "intensity_g_per_kwh": intensity.value,
        "intensity_basis": "lifecycle",
        "intensity_kind": "average",
        "intensity_scope": "production",
        "intensity_source": intensity.source,
        "intensity_year_or_time": str(intensity.year),
        "factor_set_id": context.factor_set_id,
        "pue": context.pue,
        "country_iso_code": context.country,
        "cpu_model": hardware.cpu_model,
        "cpu_count": hardware.cpu_count,
        "ram_total_size": hardware.ram_total_size,
        "hardware_default": hardware.default,
        "os": hardware.os,
        "python_version": hardware.python_version,
    }


def _cost(record: Record) -> Cost:
    return Cost(
        cpu_s=record.cpu_time_s,
        wall_s=record.wall_s,
        energy_dynamic_j=record.energy_dynamic_J,
        energy_idle_j=record.energy_idle_share_J,
        energy_wh=record.energy_consumed * 1000,
        co2e_g=record.emissions * 1000,
        co2e_dynamic_g=gco2e(record.energy_dynamic_J, record.intensity_g_per_kwh, record.pue),
    )
