"""CodeCarbon's ``emissions.csv``: a row for each line of the ledger, in kg and kWh."""

import csv
import io
from typing import Any

from frugal_ai.cost.factors import Factors
from frugal_ai.cost.record import Record
from frugal_ai.exports.subject import Subject

COLUMNS = (
    "timestamp", "project_name", "run_id", "experiment_id", "duration", "emissions",
    "emissions_rate", "cpu_power", "gpu_power", "ram_power", "cpu_energy", "gpu_energy",
    "ram_energy", "energy_consumed", "water_consumed", "country_name", "country_iso_code", "region",
    "cloud_provider", "cloud_region", "os", "python_version", "codecarbon_version", "cpu_count",
    "cpu_model", "gpu_count", "gpu_model", "longitude", "latitude", "ram_total_size",
    "tracking_mode", "cpu_utilization_percent", "gpu_utilization_percent",
    "ram_utilization_percent", "ram_used_gb", "on_cloud", "pue", "wue",
)  # fmt: skip
"""Names and order of CodeCarbon 3.3.2."""
_MS_PER_WH = 3.6e6


def emissions_csv(subject: Subject, factors: Factors) -> str:
    """Write the ledger as CodeCarbon would.

    ``experiment_id`` is stage and rung. What was not measured is empty; the line "unattributed" may
    be negative, so that the rows add up to CodeCarbon's own total.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for record in subject.ledger:
        writer.writerow(_row(record, factors))
    return text.getvalue()


def _row(one: Record, factors: Factors) -> dict[str, Any]:
    seconds = one.duration
    row = {name: getattr(one, name) for name in COLUMNS if hasattr(one, name)}
    row |= {
        "experiment_id": "/".join(part for part in (one.stage, one.rung) if part),
        "emissions_rate": one.emissions / seconds if seconds else None,
        "cpu_power": _watts(one.cpu_energy, seconds),
        "ram_power": _watts(one.ram_energy, seconds),
        "country_name": factors.intensity(one.country_iso_code).name,
        "tracking_mode": one.tracking_mode or "process",
    }
    return {name: "" if value is None else value for name, value in row.items()}


def _watts(kwh: float, seconds: float) -> float | None:
    return kwh * _MS_PER_WH / seconds if seconds else None
