"""From a bundle as it arrived to one that runs; until the last step, what runs is left alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError, InstallError
from frugal_edge.install import archive, audit, disk, floors, slots
from frugal_edge.install.archive import Limits
from frugal_edge.install.lock import sole
from frugal_edge.install.models import commit
from frugal_edge.install.selftest import Bounds, self_test
from frugal_edge.install.slots import Entry, Record
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder

LOCK = "install.lock"
TRIAL = 3  # cycles


@dataclass(frozen=True, slots=True)
class How:
    """How to install.

    Attributes
    ----------
    trial
        Cycles that the bundle must pass before it is committed; 0 commits it at once.
    force
        Install what was rolled back, or what is installed already.
    limits, bounds
        How large the bundle may be, and what its self-test may take.
    margin
        What is left free on the disk [bytes].
    expected
        Identifier that the bundle must have, if it was announced.
    origin
        Where it came from, for the audit; None for the path.
    """

    trial: int = TRIAL
    force: bool = False
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)
    margin: int = disk.MARGIN
    expected: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an install did.

    Attributes
    ----------
    series_id, entry
        What runs now.
    trial_left
        Cycles that it must still pass.
    cases
        Golden cases replayed; 0 if it was installed already.
    seconds
        From the check of the signature to the commit [s].
    """

    series_id: str
    entry: Entry
    trial_left: int
    cases: int
    seconds: float


def install(state: Path, source: Path, store: TrustStore, how: How) -> Outcome:
    """Install a bundle for its series.

    Parameters
    ----------
    state
        State folder of the gateway.
    source
        A plain tar of a bundle, or its folder.
    store
        The keys that are trusted.
    how
        Trial, limits, and whether to insist.

    Raises
    ------
    SignatureError
        If it is not signed by a key that is trusted, or not as it was signed.
    BundleError
        If it is no bundle of a known schema.
    InstallError
        If it is too large, a downgrade, was rolled back, fails its self-test, or there is no room.
    """
    with sole(state / LOCK, f"install {source.name}"):
        recover(state)
        disk.check_room(state, archive.size(source, how.limits), how.margin)
        incoming = state / slots.INCOMING
        try:
            with _named(incoming, source):
                archive.unpack(source, incoming, how.limits)
                return _take(state, source, store, how)
        finally:
            with suppress(InstallError):  # the next start clears away what this one could not
                slots.settle(state)


def recover(state: Path) -> None:
    """Finish or undo what a process that was killed left; call under the install lock.

    Raises
    ------
    InstallError
        If the state cannot be read or changed.
    """
    slots.settle(state)
    for series_id in slots.series(state):
        try:
            record = slots.read(state, series_id)
        except InstallError:
            continue  # damaged: an install for that series says so
        if record.current is not None and not record.trial_left:
            floors.lift(state, record.series_id, record.current)


@contextmanager
def _named(incoming: Path, source: Path) -> Iterator[None]:
    """Let errors speak of the file that the user knows."""
    try:
        yield
    except EdgeError as error:
        raise type(error)(str(error).replace(str(incoming), str(source))) from error


def _take(state: Path, source: Path, store: TrustStore, how: How) -> Outcome:
    start = time.perf_counter()
    incoming = state / slots.INCOMING
    signature = verify_folder(incoming, store)
    manifest = open_bundle(incoming, signature.digests).manifest
    if how.expected not in (None, manifest.id):
        raise InstallError(f"{source}: expected {how.expected} as announced, got {manifest.id}")
    series_id = manifest.series_id
    record = slots.read(state, series_id)
    entry = Entry(record.free_slot(), manifest.id, manifest.sequence, signature.key_id)
    here = record.current
    if here is not None and (here.id, here.key) == (entry.id, entry.key) and not how.force:
        return Outcome(series_id, here, record.trial_left, 0, time.perf_counter() - start)
    _check_welcome(state, record, entry, force=how.force)
    tested = self_test(incoming, how.bounds)
    line = slots.line_folder(state, series_id)
    with disk.told(line):
        disk.make_folder(line)
    slots.place(state, incoming, series_id, entry.slot)
    audit.append(
        state, "install", series=series_id, id=entry.id, sequence=entry.sequence, key=entry.key,
        source=how.origin or str(source), trial=how.trial, forced=how.force,
        before=None if here is None else here.id,
    )  # fmt: skip
    with slots.changing(state, series_id) as now:
        if now != record:
            raise InstallError(f"{series_id}: changed by another process meanwhile")
        slots.write(state, record.installed(entry, how.trial))
    if not how.trial:
        commit(state, series_id, entry)
    return Outcome(series_id, entry, how.trial, tested.cases, time.perf_counter() - start)


def _check_welcome(state: Path, record: Record, entry: Entry, *, force: bool) -> None:
    """Refuse a bundle while another is on trial, a downgrade, and what was rolled back."""
    if record.current is not None and record.trial_left:
        raise InstallError(
            f"{record.series_id}: {record.current.id} is on trial, {record.trial_left} cycles left:"
            " let it pass, or roll it back first"
        )
    floors.check(floors.read(state), record.series_id, entry)
    rejected = record.rejection(entry)
    if rejected is not None and not force:
        raise InstallError(
            f"{record.series_id}: {entry.id} was rolled back ({rejected.why}):"
            " --force installs it all the same"
        )
