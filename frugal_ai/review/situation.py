"""A run as it stands before a decision: the evidence, and what speaks against it."""

from dataclasses import dataclass

from frugal_ai.errors import ReviewError
from frugal_ai.report.gates import failed_gates
from frugal_ai.review.decisions import Via
from frugal_ai.review.evidence import Evidence, evidence_of
from frugal_ai.tracking.logged import LoggedRun
from frugal_ai.tracking.peek import read_logged
from frugal_ai.tracking.stages import Stage


@dataclass(frozen=True)
class Proposal:
    """What somebody wants to decide.

    Attributes
    ----------
    run_id
        The run.
    stage, by, why
        What its models become, who says so, the reason.
    via
        How it is known who that is.
    evidence
        Digest of what was looked at; None to decide on what is there.
    override
        Whether to approve in spite of gates that failed.
    """

    run_id: str
    stage: Stage
    by: str
    why: str
    via: Via = "command"
    evidence: str | None = None
    override: bool = False


@dataclass(frozen=True)
class Situation:
    """A run and what a decision on it has to reckon with."""

    run: LoggedRun
    evidence: Evidence
    failed_gates: tuple[str, ...]

    @classmethod
    def of(cls, run: LoggedRun) -> "Situation":
        """Return it for a run that has something to decide on.

        Raises
        ------
        ReviewError
            If it has no bundle.
        """
        if not run.manifests:
            raise ReviewError(
                f"run {run.report.run_id}: expected a run with a bundle, it has none to decide on"
            )
        return cls(run, evidence_of(run), failed_gates(run.report))


def look(uri: str, run_id: str) -> Situation:
    """Return what there is on a run.

    Raises
    ------
    TrackingError
        If the store cannot be read; `UnknownModelError` if it has no such run.
    ReviewError
        If the run has nothing to decide on.
    """
    return Situation.of(read_logged(uri, run_id))
