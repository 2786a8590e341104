"""The models of a store: a rung's row and the run that it belongs to."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from frugal_ai.errors import BoardError
from frugal_ai.report import Circumstances, Figures, LeadReport, RungRow
from frugal_ai.tracking.content import row_fields
from frugal_ai.tracking.records import Head, RunRecord

_YEARS, _WHOLE = "bill.years", "bill.whole.co2e_g"
_SHIPPED = "compression.{}.bytes"
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
class Full:
    """All that a page shows of a model.

    `lead_text` is what its tag says of errors by lead time, `row` is without.
    """

    row: RungRow
    run: Run
    lead_text: str = ""


class Details(Protocol):
    """Where models are read in full."""

    def load(self, entries: Sequence["Entry"]) -> None:
        """Read models at once, so that each of them is there when it is asked for."""
        ...

    def full(self, entry: "Entry") -> Full | None:
        """Return a model; None where what was logged of it is spoilt."""
        ...

    def run(self, parent: str) -> Run:
        """Return the run that a model belongs to, without the model."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One model: what groups and ranks it at first sight, and all else when it is asked for.

    Attributes
    ----------
    id, parent
        In MLflow, of itself and of its run.
    run_id, rung, chosen, ended
        Of which run it is, its name, whether the run chose it, when it ended.
    circumstances
        What it may be compared under.
    """

    id: str
    parent: str
    run_id: str
    rung: str
    chosen: bool
    ended: datetime
    circumstances: Circumstances
    details: Details

    @property
    def row(self) -> RungRow:
        """Its row, without errors by lead time."""
        return self._full.row

    @property
    def run(self) -> Run:
        """Its run."""
        return self.details.run(self.parent)

    @property
    def _full(self) -> Full:
        found = self.details.full(self)
        if found is None:
            raise BoardError(f"run {self.id}: what was logged of {self.rung} cannot be read")
        return found

    @property
    def mae_by_lead(self) -> tuple[LeadReport, ...]:
        """Errors by lead time; none where an older run kept none, or the tag is spoilt."""
        text = self._full.lead_text
        return _leads(text) if text else ()

    @property
    def whole_row(self) -> RungRow:
        """The row with errors by lead time."""
        return self.row.model_copy(update={"mae_by_lead": self.mae_by_lead})

    @property
    def g_per_year(self) -> float | None:
        """What hangs on the model in a year of the fleet's service [gCO2e]."""
        life, years = self.row.life_cycle_g, self.run.years
        return life / years if life is not None and years else None


def read_entries(heads: Iterable[Head], details: Details) -> list[Entry]:
    """Turn heads into entries; a run that lost one of its tags is left out, with a warning."""
    known: dict[str, tuple[str, Circumstances] | None] = {}
    found = []
    for one in heads:
        if one.parent not in known:
            known[one.parent] = _circumstances(one)
        shared, ended = known[one.parent], _instant(one)
        if shared is not None and ended is not None:
            run_id, circumstances = shared
            found.append(
                Entry(
                    one.run_id, one.parent, run_id, one.rung, one.chosen, ended, circumstances,
                    details,
                )
            )  # fmt: skip
    return found


def readable(entries: Sequence[Entry]) -> list[Entry]:
    """Read entries in full, at once; those that are spoilt are left out."""
    if entries:
        entries[0].details.load(entries)
    return [one for one in entries if one.details.full(one) is not None]


def _circumstances(head: Head) -> tuple[str, Circumstances] | None:
    said = dict(head.shared)
    run_id = said.pop("run_id", "")
    try:
        return run_id, Circumstances.model_validate(said)
    except ValidationError as error:
        _warn(head.run_id, error)
        return None


def _instant(head: Head) -> datetime | None:
    try:
        found = datetime.fromisoformat(head.ended)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        _log.warning("MLflow run %s is left out: ended: got %r", head.run_id, head.ended)
        return None
    return found


def _warn(run_id: str, error: ValidationError) -> None:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    _log.warning("MLflow run %s is left out: %s: %s", run_id, key, first["msg"])


@lru_cache(_KEPT)
def _leads(text: str) -> tuple[LeadReport, ...]:
    try:
        return _LEADS_OF.validate_json(text)
    except ValidationError as error:
        _log.warning("%s is left out: %s", _LEADS, error.errors()[0]["msg"])
        return ()


def full_of(entry: Entry, record: RunRecord, run: Run) -> Full | None:
    """Read a model from its record; None, with a warning, where that is spoilt."""
    known: dict[str, Any] = row_fields(record.tags) | Figures.unflat(record.metrics)
    known.pop("mae_by_lead", None)
    try:
        row = RungRow.model_validate({**known, "mlflow_run_id": record.run_id})
    except ValidationError as error:
        _warn(record.run_id, error)
        return None
    if row.circumstances != entry.circumstances:  # never pooled with those it was taken to be of
        _log.warning("MLflow run %s is left out: it differs from others of its run", record.run_id)
        return None
    return Full(row, run, record.tags.get(_LEADS, ""))


def run_of(record: RunRecord) -> Run:
    """Read what the models of a run share."""
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
