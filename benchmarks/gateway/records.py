"""What a part of the benchmark found, kept under ``runs/gateway`` with its day, machine and code.

So a part can be measured anew, on a machine at rest for example, while the others stand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.gateway.environment import ROOT
from frugal_ai.cost.hardware import detect_host
from frugal_ai.files import write_text
from frugal_ai.provenance import git_revision

PLACE = ROOT / "runs" / "gateway"

F = TypeVar("F")


class Record(BaseModel, Generic[F]):
    """What was found, and where and when.

    Attributes
    ----------
    day
        UTC, YYYY-MM-DD.
    machine
        Processor, threads and system.
    revision
        Commit of the code, marked when files differed from it.
    found
        The figures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: str
    machine: str
    revision: str
    found: F

    def origin(self) -> str:
        """Write day, code and machine."""
        return f"{self.day}, code {self.revision}, {self.machine}"


@dataclass(frozen=True)
class Part(Generic[F]):
    """A part of the benchmark.

    Attributes
    ----------
    name
        As the command line calls it.
    record
        Of its figures.
    measure
        Takes them; told whether a short look will do.
    """

    name: str
    record: type[Record[F]]
    measure: Callable[[bool], F]

    def take(self, *, short: bool) -> Record[F]:
        """Measure here and now."""
        found = self.measure(short)
        host = detect_host()
        return self.record(
            day=f"{datetime.now(UTC):%Y-%m-%d}",
            machine=f"{host.cpu}, {host.threads} threads, {host.os}",
            revision=_short(git_revision(ROOT)),
            found=found,
        )

    def keep(self, record: Record[F], place: Path = PLACE) -> None:
        """Write it in the place of what was kept before."""
        place.mkdir(parents=True, exist_ok=True)
        write_text(place / f"{self.name}.json", record.model_dump_json(indent=2) + "\n")

    def kept(self, place: Path = PLACE) -> Record[F] | None:
        """Read what is kept; None where nothing is, or what another version of this code wrote."""
        try:
            text = (place / f"{self.name}.json").read_text(encoding="utf-8")
            return self.record.model_validate_json(text)
        except (FileNotFoundError, ValidationError):
            return None


def _short(revision: str | None) -> str:
    if revision is None:
        return "unknown"
    commit, _, dirty = revision.partition("-")
    return f"{commit[:10]}{' with changes' if dirty else ''}"
