"""A decision taken: checked against the evidence, recorded, and carried out in the registry."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from frugal_edge.bundle import Bundle
from frugal_edge.errors import EdgeError
from frugal_edge.runtime import Forecaster

from frugal_ai.errors import ReviewError, TrackingError
from frugal_ai.review import text
from frugal_ai.review.decisions import Decision, Decisions, Draft, Writer
from frugal_ai.review.evidence import SHOWN, check_evidence
from frugal_ai.review.situation import Proposal, Situation
from frugal_ai.tracking.logged import LoggedRun
from frugal_ai.tracking.registry import Registered, Registry, open_registry
from frugal_ai.tracking.stages import moves

_TAG = "frugal.decision."  # of a version: the decisions that concern it, by number


def decide(uri: str, record: Decisions, proposal: Proposal) -> Decision:
    """Take a decision: it is in the record before anything in the registry changes.

    Parameters
    ----------
    uri
        Tracking store with the registry.
    record
        Where decisions are kept; nobody else decides meanwhile.

    Raises
    ------
    ReviewError
        If the reason is none, gates failed and are not overridden, the bundle is broken, or the
        record was altered. `StaleEvidenceError` if it was made on other evidence.
    TrackingError
        If the store cannot be read, or, after the decision was recorded, not be written.
    OutputError
        If the record cannot be written.
    """
    why = text.reason(proposal.why)
    with record.alone() as writer, open_registry(uri, writing=True) as registry:
        there = Situation.of(registry.run(proposal.run_id))
        if proposal.evidence is not None:
            check_evidence(proposal.evidence, there.evidence)
        if there.failed_gates and proposal.stage == "champion" and not proposal.override:
            raise ReviewError(
                f"run {proposal.run_id}: gates failed: {'; '.join(there.failed_gates)}: expected "
                "an override, which is shown for ever, or another model"
            )
        return _carried_out(registry, writer, there, proposal, why)


def _carried_out(
    registry: Registry, writer: Writer, there: Situation, proposal: Proposal, why: str
) -> Decision:
    run = there.run
    bundles = _bundles(registry, run)
    versions = [registry.version(run, bundle) for bundle in bundles]
    champions = {}
    for version in versions:
        aliases = registry.aliases(version.name)
        moves(proposal.stage, version.version, aliases)  # refused here, before it is recorded
        former = aliases.get("champion")
        if proposal.stage == "champion" and former not in {None, version.version}:
            champions[version.name] = str(former)
    overridden = there.failed_gates if proposal.stage == "champion" else ()
    decision = writer.append(
        Draft(
            at=datetime.now(UTC).replace(microsecond=0),
            by=proposal.by,
            via=proposal.via,
            stage=proposal.stage,
            why=why,
            run_id=run.report.run_id,
            mlflow_run_id=run.mlflow_run_id,
            pipeline=run.report.pipeline,
            models={version.name: version.version for version in versions},
            bundles={
                bundle.manifest.id: there.evidence.bundles[name]
                for name, bundle in zip(run.report.bundles, bundles, strict=True)
            },
            evidence=there.evidence.digest,
            failed_gates=overridden,
            replaces=champions,
        )
    )
    try:
        _register(registry, decision, versions)
    except TrackingError as error:
        raise TrackingError(
            f"decision {decision.number} is recorded, the registry does not follow it yet: "
            f"{error}; decide once more when it can be written"
        ) from error
    return decision


def _bundles(registry: Registry, run: LoggedRun) -> list[Bundle]:
    """Download every bundle of a run, and let it do what a gateway would ask of it first."""
    found = []
    with TemporaryDirectory(prefix="frugal-ai-") as place:
        for name in run.report.bundles:
            try:
                bundle = registry.fetch(run, name, Path(place))
                Forecaster(bundle).self_test()
            except EdgeError as error:
                raise ReviewError(
                    f"run {run.report.run_id}: {name}: a gateway would refuse it: {error}"
                ) from error
            found.append(bundle)
    return found


def _register(registry: Registry, decision: Decision, versions: Sequence[Registered]) -> None:
    key = f"{_TAG}{decision.number:06d}"
    for version in versions:
        registry.note(version.name, version.version, key, decision.model_dump_json())
        former = decision.replaces.get(version.name)
        if former is not None:
            registry.note(version.name, former, key, decision.model_dump_json())
        registry.set_stage(version, decision.stage)


def recorded(version: Registered) -> list[Decision]:
    """Return the decisions that the registry holds on a version, oldest first.

    Raises
    ------
    ReviewError
        If one of them is no decision.
    """
    found = []
    for key in sorted(name for name in version.tags if name.startswith(_TAG)):
        try:
            found.append(Decision.model_validate_json(version.tags[key]))
        except ValueError as error:
            raise ReviewError(f"{version.shown}: tag {key}: expected a decision") from error
    return found


def sentence(decision: Decision) -> str:
    """Say a decision in one line."""
    models = ", ".join(f"{name}/{version}" for name, version in decision.models.items())
    former = ", ".join(f"{name}/{version}" for name, version in decision.replaces.items())
    failed = "; ".join(decision.failed_gates)
    return (
        f"{decision.at:%Y-%m-%dT%H:%M:%SZ} {decision.by}: {models} {decision.stage}"
        f"{f' in place of {former}' if former else ''}, on evidence {decision.evidence[:SHOWN]}"
        f"{f', OVERRIDING FAILED GATES: {failed}' if failed else ''}"
        f": {' / '.join(decision.why.splitlines())}"
    )
