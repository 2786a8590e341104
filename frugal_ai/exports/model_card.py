"""Hugging Face's metadata of a model card: ``co2_eq_emissions``, in grams."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError

from frugal_ai.cost.factors import Factors
from frugal_ai.errors import DataError
from frugal_ai.exports.subject import Subject, read_subject

_SOURCE = "frugal-ai ledger"
_TRAINING = "pre-training"


def model_card(path: Path, factors: Factors) -> str:
    """Write the metadata block of a run or of a bundle alone.

    Of a run, emissions are those of all that it took, trials included; of a bundle alone they are
    those of the model's own features, tuning and training, which its source says.

    Raises
    ------
    DataError
        If it is neither.
    """
    alone = (path / "manifest.json").is_file() and not _in_run(path)
    found = _of_bundle(path, factors) if alone else _of_run(read_subject(path), factors)
    block = {"co2_eq_emissions": found}
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n"


def _in_run(bundle: Path) -> bool:
    return any((parent / "run.json").is_file() for parent in bundle.absolute().parents[:2])


def _of_run(subject: Subject, factors: Factors) -> dict[str, Any]:
    context = subject.report.context
    return {
        "emissions": subject.co2e_g,
        "source": f"{_SOURCE}, the whole run ({context.energy_method})",
        "training_type": _TRAINING,
        "geographical_location": factors.intensity(context.country).name,
        "hardware_used": context.hardware.label,
    }


def _of_bundle(path: Path, factors: Factors) -> dict[str, Any]:
    try:
        costs: Mapping[str, Any] = open_bundle(path).manifest.costs
        return {
            "emissions": costs["training_co2e_g"] + costs.get("compression_co2e_g", 0.0),
            "source": f"{_SOURCE}, this model alone ({costs['energy_method']})",
            "training_type": _TRAINING,
            "geographical_location": factors.intensity(costs["country"]).name,
            "hardware_used": costs["hardware"],
        }
    except EdgeError as error:
        raise DataError(str(error)) from error
    except KeyError as error:
        raise DataError(f"{path / 'manifest.json'}: costs.{error.args[0]}: expected") from None
