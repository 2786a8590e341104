"""The record of decisions: one JSON object a line, appended to and never changed.

Every line seals the one before with its SHA-256, so that a line that was changed, taken out or put
in between is told. That lines are missing at the end the file alone cannot tell; the registry has a
copy of each decision.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from frugal_ai.errors import OutputError, ReviewError
from frugal_ai.review.text import problem
from frugal_ai.settings import Settings
from frugal_ai.tracking.stages import Stage

NAME = "decisions.jsonl"
_NOTHING = "0" * 64  # what the first line seals
_MODE = 0o640

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Via = Literal["command", "session", "proxy"]


class Draft(Settings):
    """A decision, before it has its place in the record.

    Attributes
    ----------
    at, by, via
        When, by whom, and how that was known: from a password, from a proxy, or as was said at the
        command line by somebody who may write the record.
    stage, why
        What the models became, and the reason.
    run_id, mlflow_run_id, pipeline
        The run that they come from.
    models
        Versions by name in the registry.
    bundles
        SHA-256 of each bundle's manifest, by the bundle's identity.
    evidence
        Digest of what was decided on.
    failed_gates
        Gates that were overridden: the model was approved in spite of them.
    replaces
        Former champions, versions by name.
    """

    at: AwareDatetime
    by: str
    via: Via
    stage: Stage
    why: str
    run_id: str
    mlflow_run_id: str
    pipeline: str
    models: dict[str, str]
    bundles: dict[str, Sha256]
    evidence: Sha256
    failed_gates: tuple[str, ...] = ()
    replaces: dict[str, str] = Field(default_factory=dict)


class Decision(Draft):
    """A decision in the record: its number, from 1, and the SHA-256 of the line before."""

    schema_version: Literal[1] = 1
    number: Annotated[int, Ge(1)]
    previous: Sha256


@dataclass
class Writer:
    """Appends while nobody else does; made by `Decisions.alone`."""

    path: Path
    descriptor: int

    def append(self, draft: Draft) -> Decision:
        """Append a decision; it is on the disk when this returns.

        Raises
        ------
        ReviewError
            If the record has been altered: nothing is added to it.
        OutputError
            If it cannot be written.
        """
        try:
            content = _content(self.descriptor)
            whole = content[: content.rfind(b"\n") + 1]
            before = _parsed(whole, self.path)
            decision = Decision(
                **draft.model_dump(),
                number=len(before) + 1,
                previous=_seal(whole.splitlines()[-1]) if before else _NOTHING,
            )
            os.ftruncate(self.descriptor, len(whole))  # what a crash left of a line
            _write(self.descriptor, decision.model_dump_json().encode() + b"\n")
            os.fsync(self.descriptor)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from error
        return decision


class Decisions:
    """The record in a file, which is made with the first decision.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: object = None
        self._known: tuple[Decision, ...] = ()

    def all(self) -> tuple[Decision, ...]:
        """Return all decisions, oldest first; a last line that is being written is left out.

        Raises
        ------
        ReviewError
            If the file cannot be read or has been altered; says the line.
        """
        try:
            now = self.path.stat()
            stamp = (now.st_mtime_ns, now.st_size, now.st_ino)
            if stamp != self._stamp:
                content = self.path.read_bytes()
                self._known = _parsed(content[: content.rfind(b"\n") + 1], self.path)
                self._stamp = stamp
        except FileNotFoundError:
            self._known, self._stamp = (), None
        except OSError as error:
            raise ReviewError(f"{self.path}: cannot be read: {error.strerror}") from error
        return self._known

    def history(self, run_id: str) -> list[Decision]:
        """Return the decisions on a run, and those that replaced its models, oldest first."""
        found = self.all()
        own = {item for one in found if one.run_id == run_id for item in one.models.items()}
        return [one for one in found if one.run_id == run_id or own & one.replaces.items()]

    @contextmanager
    def alone(self) -> Iterator[Writer]:
        """Keep everybody else from deciding, in this process and in others.

        Raises
        ------
        OutputError
            If the file cannot be made or written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, _MODE)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Writer(self.path, descriptor)
        finally:
            os.close(descriptor)


def _parsed(content: bytes, path: Path) -> tuple[Decision, ...]:
    found: list[Decision] = []
    previous = _NOTHING
    for number, line in enumerate(content.splitlines(), 1):
        try:
            decision = Decision.model_validate_json(line)
        except ValidationError as error:
            raise ReviewError(f"{path}: line {number}: no decision: {problem(error)}") from error
        if decision.number != number or decision.previous != previous:
            raise ReviewError(
                f"{path}: line {number}: the record was altered here or in the line before: "
                "expected each line to seal the one before; restore the file from a copy"
            )
        found.append(decision)
        previous = _seal(line)
    return tuple(found)


def _seal(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _content(descriptor: int) -> bytes:
    size, parts, at = os.fstat(descriptor).st_size, [], 0
    while at < size:
        part = os.pread(descriptor, size - at, at)
        if not part:
            break
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
