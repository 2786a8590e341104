"""What a decision rests on, as one digest over report, figures, bundles and data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from frugal_ai.errors import StaleEvidenceError
from frugal_ai.tracking.logged import LoggedRun

SHOWN = 12
"""Digits that a reader sees; more of them, or all 64, are taken as well."""


@dataclass(frozen=True)
class Evidence:
    """Digests of all that a reviewer is shown of a run.

    Attributes
    ----------
    report
        SHA-256 of ``run.json``.
    metrics
        SHA-256 of the metrics that the store holds, of the run and of every rung.
    bundles
        SHA-256 of each bundle's manifest, which has those of all its files, by folder.
    data
        The data digest.
    """

    run_id: str
    report: str
    metrics: str
    bundles: Mapping[str, str]
    data: str

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, 64 hex digits."""
        return hashlib.sha256(_canonical(asdict(self))).hexdigest()


def evidence_of(run: LoggedRun) -> Evidence:
    """Return what there is on a run now."""
    return Evidence(
        run_id=run.report.run_id,
        report=run.report_sha256,
        metrics=hashlib.sha256(_canonical(run.metrics)).hexdigest(),
        bundles={
            name: hashlib.sha256(content).hexdigest() for name, content in run.manifests.items()
        },
        data=run.report.data_digest,
    )


def check_evidence(seen: str, now: Evidence) -> None:
    """Refuse a decision on something else than what is there.

    Parameters
    ----------
    seen
        Digest of what the reviewer saw, or its first digits.

    Raises
    ------
    StaleEvidenceError
        If what is there has another.
    """
    if len(seen) < SHOWN or not now.digest.startswith(seen):
        raise StaleEvidenceError(
            f"run {now.run_id}: expected a decision on the evidence that is there, "
            f"{now.digest[:SHOWN]}, got one on {seen[:SHOWN] or 'none'}: look at the model again, "
            "then decide"
        )


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
