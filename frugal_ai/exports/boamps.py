"""BoAmps, Boavizta's form of what an AI task consumed; powerConsumption is in kWh."""

import json
import platform
from collections.abc import Mapping
from typing import Any

from frugal_ai import __version__
from frugal_ai.cost.factors import Factors
from frugal_ai.exports.subject import Subject

SPECIFICATION = "https://github.com/Boavizta/BoAmps/tree/main/model"
_FAMILIES = {
    "naive": "naive forecast",
    "linear": "linear regression",
    "boosting": "gradientBoosting",
}


def boamps(subject: Subject, factors: Factors) -> str:
    """Write the report of a run: one measure, the whole of it.

    Quality is low (the schema's error of 50 %) wherever energy was not read from a meter. Whether
    it is final, and for whose eyes, is for the publisher to say: it is an internal draft.
    """
    return json.dumps(report(subject, factors), indent=1, ensure_ascii=False) + "\n"


def report(subject: Subject, factors: Factors) -> Mapping[str, Any]:
    """Return the report as plain JSON."""
    found, chosen = subject.report, subject.chosen
    context, hardware = found.context, found.context.hardware
    seconds = (found.ended - found.started).total_seconds()
    return {
        "header": {
            "formatVersionSpecificationUri": SPECIFICATION,
            "reportId": found.run_id,
            "reportDatetime": f"{found.ended:%Y-%m-%d %H:%M:%S}",
            "reportStatus": "draft",
            "publisher": {"projectName": found.pipeline, "confidentialityLevel": "internal"},
        },
        "task": {
            "taskStage": "preprocessing + training",
            "taskFamily": "time series forecasting",
            "algorithms": [_algorithm(subject)],
            "dataset": [
                {
                    "dataUsage": "input",
                    "dataType": "tabular",
                    "source": "other",
                }
            ],
            "taskDescription": f"{found.title or found.pipeline}: {len(found.rungs)} models tried,"
            f" {len(found.not_run)} left out, {chosen.rung} chosen{_spread(subject)}",
        },
        "measures": [
            {
                "measurementMethod": f"frugal-ai {context.energy_method}",
                "version": __version__,
                "cpuTrackingMode": context.energy_method,
                "powerConsumption": subject.kwh,
                "measurementDuration": seconds,
                "measurementDateTime": f"{found.started:%Y-%m-%d %H:%M:%S}",
            }
        ],
        "system": {"os": hardware.os or platform.system()},
        "software": {"language": "python", "version": hardware.python_version},
        "infrastructure": {"infraType": "other", "components": _components(subject)},
        "environment": {
            "country": factors.intensity(context.country).name,
            "powerSourceCarbonIntensity": context.intensity_g_per_kwh,
        },
        "quality": _quality(subject),
    }


def _algorithm(subject: Subject) -> dict[str, Any]:
    chosen = subject.chosen
    found: dict[str, Any] = {
        "trainingType": "supervisedLearning",
        "algorithmType": _FAMILIES.get(chosen.family, chosen.family),
        "algorithmName": chosen.rung,
        "framework": "frugal-ai",
        "frameworkVersion": __version__,
    }
    shipped = subject.report.compression.shipped if subject.report.compression else ""
    if "int8" in shipped:
        found["quantization"] = "int8"
    return found


def _components(subject: Subject) -> list[dict[str, Any]]:
    hardware = subject.report.context.hardware
    share = min(1.0, subject.report.context.threads / hardware.threads)
    found: list[dict[str, Any]] = [
        {
            "componentName": hardware.cpu_model,
            "componentType": "cpu",
            "nbComponent": 1,
            "share": share,
        }
    ]
    if hardware.ram_total_size:
        size = max(1, round(hardware.ram_total_size))
        found.append({"componentType": "ram", "nbComponent": 1, "memorySize": size})
    return found


def _spread(subject: Subject) -> str:
    """Say how far off energy may be, where that is more than the schema has a word for."""
    spread = subject.report.context.energy_spread
    return "" if spread is None else f"; energy within a factor of {spread:g} in 90 % of cases"


def _quality(subject: Subject) -> str:
    order = ("high", "medium", "low")
    worst = max((one.quality for one in subject.ledger), key=order.index, default="low")
    return str(worst)
