"""What a run and its rungs say of themselves in MLflow, beside their figures."""

import json
from collections.abc import Mapping, Sequence

from frugal_ai.report import Circumstances, Figures, RungReport, RungRow, RunReport
from frugal_ai.report.gates import failed_gates

ROLE = "frugal.role"
"""Tag that tells a pipeline's run ("run") from that of a rung ("rung")."""

_FIELDS = RungRow.model_fields.keys() - Figures.model_fields.keys() - {"mlflow_run_id"}
_PLAIN = {"hardware", "energy_method", "country"}
_TAGS = {name: name if name in _PLAIN else f"frugal.{name}" for name in sorted(_FIELDS)}
_VALUE_LENGTH = 6000  # longest parameter that MLflow takes [characters]


def rung_tags(row: RungRow) -> dict[str, str]:
    """Return what a rung's row says beside its figures."""
    values = row.model_dump(mode="json")
    return {
        tag: _text(values[name])
        for name, tag in _TAGS.items()
        if values[name] is not None and values[name] != []
    }


def row_fields(tags: Mapping[str, str]) -> dict[str, str]:
    """Undo `rung_tags`; tags of others are left out."""
    return {name: tags[tag] for name, tag in _TAGS.items() if tag in tags}


def shared_tags() -> tuple[str, ...]:
    """Return the tags that are equal for all rungs of a run: which, and under what."""
    return tuple(_TAGS[name] for name in ("run_id", *Circumstances.model_fields))


def rung_params(rung: RungReport) -> dict[str, str]:
    """Return a rung's settings."""
    return _params({"family": rung.family, **rung.params})


def run_tags(report: RunReport) -> dict[str, str]:
    """Return what identifies a run, why it chose as it did, and which gates that does not pass."""
    failed = failed_gates(report) if report.chosen else ()
    tags = {
        "frugal.run_id": report.run_id,
        "frugal.pipeline": report.pipeline,
        "frugal.kind": report.kind,
        "frugal.title": report.title,
        "frugal.rule": report.rule or "",
        "frugal.series": _names(report.series),
        "frugal.step_s": _text(report.step_s) if report.step_s else "",
        "frugal.horizon_s": _text(report.horizon_s) if report.horizon_s else "",
        "frugal.origins_validation": _text(report.origins.validation),
        "frugal.simulated": _text(report.simulated),
        "frugal.weather": report.weather,
        "frugal.status": report.status,
        "frugal.data_digest": report.data_digest,
        "frugal.targets_digest": report.targets_digest,
        "frugal.git_revision": report.git_revision,
        "frugal.chosen": report.chosen,
        "frugal.failed_gates": _text(failed) if failed else "",
        "mlflow.note.content": report.reason,
        "energy_method": report.context.energy_method,
        "hardware": report.context.hardware.label,
        "country": report.context.country,
    }
    return {name: value for name, value in tags.items() if value}


def run_params(report: RunReport) -> dict[str, str]:
    """Return the settings and versions that a run's figures depend on."""
    context = report.context
    return _params(
        {
            "title": report.title,
            "unit": report.unit,
            "seed": report.seed,
            "origins_validation": report.origins.validation,
            "origins_test": report.origins.test,
            "intensity_g_per_kwh": context.intensity_g_per_kwh,
            "pue": context.pue,
            "threads": context.threads,
            "forecasts": context.forecasts,
            **{f"version.{name}": number for name, number in report.versions.items()},
        }
    )


def source_tags(report: RunReport) -> dict[str, str]:
    """Return where a run comes from, in MLflow's own tags."""
    tags = {"mlflow.source.name": "frugal-ai", "mlflow.source.type": "LOCAL"}
    if report.git_revision:
        tags["mlflow.source.git.commit"] = report.git_revision
    return tags


def _params(values: Mapping[str, object]) -> dict[str, str]:
    return {
        name: _text(value)[:_VALUE_LENGTH]
        for name, value in values.items()
        if value is not None and value != ""
    }


def _names(series: Sequence[str]) -> str:
    """List series, as many as a tag holds."""
    kept = list(series)
    while len(_text(kept)) > _VALUE_LENGTH:
        kept = kept[: len(kept) // 2]
    return _text(kept) if kept else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
