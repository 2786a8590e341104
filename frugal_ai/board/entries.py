"""The models of a store: a rung's row and the run that it belongs to."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from frugal_ai.report import Figures, LeadReport, RungRow
from frugal_ai.tracking.content import row_fields, tag_names
from frugal_ai.tracking.records import RunRecord, children

_YEARS, _WHOLE = "bill.years", "bill.whole.co2e_g"
_SHIPPED = "compression.{}.bytes"

METRICS = (*Figures().flat(), _YEARS, "bill.whole.%", "ledger.%", "compression.%.bytes")
"""What is read of each run's figures."""

TAGS = (
    *tag_names(), "frugal.title", "frugal.series", "frugal.step_s", "frugal.horizon_s",
    "frugal.status", "frugal.failed_gates", "frugal.rule", "frugal.run_id",
    "frugal.origins_validation", "frugal.shipped",
    "mlflow.note.content",
)  # fmt: skip
"""What is read of what each run says of itself."""

_LEADS = "frugal.mae_by_lead"
_LEADS_OF = TypeAdapter(tuple[LeadReport, ...])
_KEPT = 5_000  # errors by lead time of as many models stay read

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a pipeline, as far as its models share it.

    Attributes
    ----------
    id, artifact_uri
        In MLflow, and where its files are.
    title
        For a reader.
    series
        Names, as far as they were logged.
    step_s, horizon_s
        None where an older run did not say.
    interrupted
        Whether it ended before it had chosen.
    reason
        Why it chose as it did.
    failed_gates
        Gates that the chosen model does not pass, and by how much.
    rule
        Of the choice: ``least_carbon``, ``budget`` or ``price``; empty where an older run did not
        say.
    shipped
        What of the chosen model is in the bundle, and its size [bytes].
    bill_g_per_year
        A year of the fleet's whole bill with the chosen model [gCO2e]; None without a fleet.
    years
        Of the fleet's service.
    stages
        Energy and emissions of the run by stage of its ledger [kWh], [gCO2e].
    """

    id: str
    artifact_uri: str
    title: str
    series: tuple[str, ...]
    step_s: int | None
    horizon_s: int | None
    interrupted: bool
    reason: str
    origins_validation: int | None
    failed_gates: tuple[str, ...]
    rule: str
    shipped: str
    shipped_bytes: int | None
    bill_g_per_year: float | None
    years: float | None
    stages: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: its identity in MLflow, its row, its run.

    `lead_text` is what its tag says of errors by lead time. Of thousands of models only those that
    are shown have it read; `row` is without.
    """

    id: str
    row: RungRow
    run: Run
    lead_text: str = ""

    @property
    def mae_by_lead(self) -> tuple[LeadReport, ...]:
        """Errors by lead time; none where an older run kept none, or the tag is spoilt."""
        return _leads(self.lead_text) if self.lead_text else ()

    @property
    def whole_row(self) -> RungRow:
        """The row with errors by lead time."""
        return self.row.model_copy(update={"mae_by_lead": self.mae_by_lead})

    @property
    def g_per_year(self) -> float | None:
        """What hangs on the model in a year of the fleet's service [gCO2e]."""
        life, years = self.row.life_cycle_g, self.run.years
        return life / years if life is not None and years else None


def read_entries(records: Iterable[RunRecord]) -> list[Entry]:
    """Turn records into entries; a run that lost one of its tags is left out, with a warning."""
    known = {one.run_id: one for one in records}
    runs: dict[str, Run] = {}
    found = []
    for child, parent in children(known):
        if parent.run_id not in runs:
            runs[parent.run_id] = _run(parent)
        row = _row(child)
        if row is not None:
            text = child.tags.get(_LEADS, "")
            found.append(Entry(child.run_id, row, runs[parent.run_id], text))
    return found


@lru_cache(_KEPT)
def _leads(text: str) -> tuple[LeadReport, ...]:
    try:
        return _LEADS_OF.validate_json(text)
    except ValidationError as error:
        _log.warning("%s is left out: %s", _LEADS, error.errors()[0]["msg"])
        return ()


def _row(record: RunRecord) -> RungRow | None:
    known: dict[str, Any] = row_fields(record.tags) | Figures.unflat(record.metrics)
    known.pop("mae_by_lead", None)
    try:
        return RungRow.model_validate({**known, "mlflow_run_id": record.run_id})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        _log.warning("MLflow run %s is left out: %s: %s", record.run_id, key, first["msg"])
        return None


def _run(record: RunRecord) -> Run:
    tags, metrics = record.tags, record.metrics
    shipped = tags.get("frugal.shipped", "")
    years = metrics.get(_YEARS)
    whole = metrics.get(_WHOLE)
    return Run(
        id=record.run_id,
        artifact_uri=record.artifact_uri,
        title=tags.get("frugal.title", ""),
        series=_names(tags, "frugal.series"),
        step_s=_count(tags, "frugal.step_s"),
        horizon_s=_count(tags, "frugal.horizon_s"),
        interrupted=tags.get("frugal.status") == "interrupted",
        reason=tags.get("mlflow.note.content", ""),
        origins_validation=_count(tags, "frugal.origins_validation"),
        failed_gates=_names(tags, "frugal.failed_gates"),
        rule=tags.get("frugal.rule", ""),
        shipped=shipped,
        shipped_bytes=_whole(metrics.get(_SHIPPED.format(shipped))),
        bill_g_per_year=whole / years if whole is not None and years else None,
        years=years,
        stages=_stages(metrics),
    )


def _stages(metrics: Mapping[str, float]) -> tuple[tuple[str, float, float], ...]:
    names = [name.split(".")[1] for name in metrics if name.startswith("ledger.")]
    return tuple(
        (stage, metrics.get(f"ledger.{stage}.kwh", 0.0), metrics.get(f"ledger.{stage}.co2e_g", 0.0))
        for stage in dict.fromkeys(names)
    )


def _names(tags: Mapping[str, str], key: str) -> tuple[str, ...]:
    """Read a list of names; none where there is no such list."""
    try:
        found = json.loads(tags.get(key, "null"))
    except ValueError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _count(tags: Mapping[str, str], key: str) -> int | None:
    text = tags.get(key, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
