"""A bundle as it was decided on, with the decisions in its card, ready to be signed."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.errors import EdgeError
from frugal_edge.manifest import NAME, SIGNATURE

from frugal_ai.errors import ReviewError
from frugal_ai.files import write_bytes
from frugal_ai.review.decisions import Decision
from frugal_ai.review.evidence import SHOWN
from frugal_ai.review.promotion import recorded
from frugal_ai.review.text import in_markdown
from frugal_ai.tracking.registry import Registered, Registry, open_registry

CARD = "MODEL_CARD.md"
_HEADING = "## Decisions"


@dataclass(frozen=True)
class Pulled:
    """A bundle that was pulled.

    Attributes
    ----------
    file
        The tar.
    id, version
        Of the bundle; of the registered model.
    decisions
        Those on it, oldest first.
    """

    file: Path
    id: str
    version: str
    decisions: tuple[Decision, ...]


def pull(uri: str, text: str, folder: Path) -> tuple[Bundle, Registered, list[Decision]]:
    """Download the bundle of a registered version into a folder, with its decisions in its card.

    Graph, golden cases and fallback are those that were decided on. The card has one section more,
    so the manifest has another digest for it, and a signature from before is left out.

    Parameters
    ----------
    uri
        Tracking store.
    text
        ``ALIAS/NAME`` or ``NAME/VERSION``.
    folder
        An empty one.

    Raises
    ------
    ReviewError
        If a champion has no decision that made it one, or the bundle is not the one decided on.
    TrackingError
        If the store cannot be read; `UnknownModelError` if it has no such version.
    """
    with open_registry(uri, writing=False) as registry:
        version = registry.named(text)
        decisions = recorded(version)
        _check_decided(version, decisions)
        place = _download(registry, version, folder)
        _check_same(version, place, decisions)
    _write_card(place, decisions)
    try:
        return open_bundle(place), version, decisions
    except EdgeError as error:
        raise ReviewError(f"{version.shown}: {error}") from error


def _check_decided(version: Registered, decisions: Sequence[Decision]) -> None:
    last = next((one for one in reversed(decisions) if _names(one, version)), None)
    if "champion" in version.aliases and (last is None or last.stage != "champion"):
        raise ReviewError(
            f"{version.shown} has the alias champion, expected a decision that made it so: none is "
            "in the registry; frugal-ai promote takes one"
        )


def _names(decision: Decision, version: Registered) -> bool:
    return decision.models.get(version.name) == version.version


def _download(registry: Registry, version: Registered, folder: Path) -> Path:
    run = registry.run(registry.run_id_of(version))
    for name in run.report.bundles:
        with TemporaryDirectory(dir=folder) as place:
            try:
                bundle = registry.fetch(run, name, Path(place))
            except EdgeError as error:
                raise ReviewError(f"{version.shown}: {error}") from error
            if bundle.manifest.id == version.bundle:
                return bundle.folder.replace(folder / "bundle")
    raise ReviewError(
        f"{version.shown}: expected bundle {version.bundle or 'of frugal-ai'} in run "
        f"{run.report.run_id}, it is not there"
    )


def _check_same(version: Registered, place: Path, decisions: Sequence[Decision]) -> None:
    """Refuse what is not what the last decision on this version was made on."""
    digest = hashlib.sha256((place / NAME).read_bytes()).hexdigest()
    last = next((one for one in reversed(decisions) if _names(one, version)), None)
    if last is not None and last.bundles.get(version.bundle) != digest:
        raise ReviewError(
            f"{version.shown}: expected the bundle of decision {last.number}, manifest "
            f"{last.bundles.get(version.bundle, 'unknown')[:SHOWN]}, got {digest[:SHOWN]}: it was "
            "changed after the decision"
        )


def _write_card(place: Path, decisions: Sequence[Decision]) -> None:
    (place / SIGNATURE).unlink(missing_ok=True)
    manifest = json.loads((place / NAME).read_bytes())
    card = (place / CARD).read_text(encoding="utf-8")
    content = with_decisions(card, decisions).encode()
    manifest["files"][CARD] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    write_bytes(place / CARD, content)
    write_bytes(place / NAME, json.dumps(manifest, separators=(",", ":")).encode())


def with_decisions(card: str, decisions: Sequence[Decision]) -> str:
    """Return a model card with what was decided, in the place of an older section of the kind."""
    kept = re.split(rf"^{_HEADING}$", card, maxsplit=1, flags=re.MULTILINE)[0].rstrip("\n")
    return f"{kept}\n\n{decisions_section(decisions)}"


def decisions_section(decisions: Sequence[Decision]) -> str:
    """Write the decisions on a model in Markdown, overridden gates first."""
    if not decisions:
        return f"{_HEADING}\n\nNone: nobody has approved this model.\n"
    overridden = "".join(
        f"> **Gates overridden** in decision {one.number} by {in_markdown(one.by)}: "
        f"{in_markdown('; '.join(one.failed_gates))}\n\n"
        for one in decisions
        if one.failed_gates
    )
    rows = "".join(
        f"| {one.number} | {one.at:%Y-%m-%d %H:%M} UTC | {in_markdown(one.by)} | {_became(one)} | "
        f"{in_markdown(one.why)} | {one.evidence[:SHOWN]} |\n"
        for one in decisions
    )
    return (
        f"{_HEADING}\n\n{overridden}"
        "| no. | when | who | decision | why | evidence |\n|---|---|---|---|---|---|\n"
        f"{rows}"
    )


def _became(decision: Decision) -> str:
    def named(models: dict[str, str]) -> str:
        return in_markdown(", ".join(f"{name}/{version}" for name, version in models.items()))

    former = f", in place of {named(decision.replaces)}" if decision.replaces else ""
    return f"{named(decision.models)} {decision.stage}{former}"
