"""Two slots for each series, and the one file that says which of them runs.

``STATE/models/<slug>/`` has the folders ``a`` and ``b`` and ``slots.json``. Whatever happens to the
folders, a bundle runs once ``slots.json`` names it, and it is replaced in one step.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote

from frugal_edge.errors import InstallError
from frugal_edge.files import sync_folder
from frugal_edge.install import disk
from frugal_edge.install.lock import folder_lock
from frugal_edge.strict_json import Node, parse

NAME = "slots.json"
NAMES = ("a", "b")
INCOMING = "incoming.part"  # in the state folder: the series is not known before the signature is
_FORMAT = 1
_MAX_BYTES = 1 << 20
_MAX_REJECTED = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A bundle in a slot.

    Attributes
    ----------
    slot
        ``a`` or ``b``.
    id, sequence
        As its manifest has them.
    key
        Identifier of the key that signed it.
    """

    slot: str
    id: str
    sequence: int
    key: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A bundle that was rolled back: nothing but an operator's order brings it again."""

    id: str
    sequence: int
    key: str
    why: str

    def means(self, entry: Entry) -> bool:
        """Whether it is this bundle, or what the same key called the same release."""
        return self.id == entry.id or (self.key, self.sequence) == (entry.key, entry.sequence)


@dataclass(frozen=True, slots=True)
class Record:
    """What ``slots.json`` says.

    Attributes
    ----------
    series_id
        The series that the bundles forecast.
    current, previous
        What runs, and what a rollback brings back.
    trial_left
        Cycles that the current bundle must still pass; 0 if it is committed.
    in_cycle
        Whether a cycle of the trial has begun and not ended.
    changes
        How often another bundle became current; tells apart states that look the same.
    rejected
        Bundles rolled back, the newest last.
    """

    series_id: str
    current: Entry | None = None
    previous: Entry | None = None
    trial_left: int = 0
    in_cycle: bool = False
    changes: int = 0
    rejected: tuple[Rejected, ...] = ()

    def free_slot(self) -> str:
        """Return the slot that does not run."""
        running = None if self.current is None else self.current.slot
        return next(name for name in NAMES if name != running)

    def installed(self, entry: Entry, trial: int) -> "Record":
        """Return the record once a new bundle runs; what ran is kept."""
        return replace(
            self,
            current=entry,
            previous=self.current,
            trial_left=trial,
            in_cycle=False,
            changes=self.changes + 1,
            rejected=tuple(one for one in self.rejected if not one.means(entry)),
        )

    def rolled_back(self, why: str) -> "Record":
        """Return the record once the bundle before runs again.

        What was on trial is no bundle to come back to; what was committed is.
        """
        if self.current is None:
            return self
        back, bad = self.previous, self.current
        rejected = [one for one in self.rejected if not one.means(bad)]
        rejected = [one for one in rejected if back is None or not one.means(back)]
        new = Rejected(bad.id, bad.sequence, bad.key, why)
        return replace(
            self,
            current=back,
            previous=None if self.trial_left else bad,
            trial_left=0,
            in_cycle=False,
            changes=self.changes + 1,
            rejected=(*rejected, new)[-_MAX_REJECTED:],
        )

    def rejection(self, entry: Entry) -> Rejected | None:
        """Return how a bundle was rejected, if it was."""
        return next((one for one in reversed(self.rejected) if one.means(entry)), None)


def line_folder(state: Path, series_id: str) -> Path:
    """Return the folder of a series."""
    slug = quote(series_id, safe="")
    if slug in (".", ".."):  # quote leaves dots as they are
        slug = slug.replace(".", "%2E")
    return state / "models" / slug


def folder_of(state: Path, series_id: str, entry: Entry | None) -> Path | None:
    """Return the folder of a bundle in a slot."""
    return None if entry is None else line_folder(state, series_id) / entry.slot


def read(state: Path, series_id: str) -> Record:
    """Read what is installed for a series; an empty record if nothing ever was.

    Raises
    ------
    InstallError
        If ``slots.json`` cannot be read or says something else.
    """
    found = _read_file(line_folder(state, series_id) / NAME)
    if found is None:
        return Record(series_id)
    if found.series_id != series_id:
        raise InstallError(
            f"{line_folder(state, series_id) / NAME}: series_id: expected {series_id},"
            f" got {found.series_id}"
        )
    return found


def series(state: Path) -> tuple[str, ...]:
    """Return every series for which something was ever installed, sorted."""
    return tuple(sorted(unquote(path.parent.name) for path in (state / "models").glob(f"*/{NAME}")))


def write(state: Path, record: Record) -> None:
    """Commit a record durably.

    Raises
    ------
    InstallError
        If it cannot be written; what was there stays.
    """
    folder = line_folder(state, record.series_id)
    content = {
        "format": _FORMAT,
        "series_id": record.series_id,
        "current": _entry_json(record.current),
        "previous": _entry_json(record.previous),
        "trial": {"left": record.trial_left, "in_cycle": record.in_cycle},
        "changes": record.changes,
        "rejected": [
            {"id": one.id, "sequence": one.sequence, "key": one.key, "why": one.why}
            for one in record.rejected
        ],
    }
    with disk.told(folder / NAME):
        disk.replace_synced(folder / NAME, json.dumps(content, indent=1).encode())


@contextmanager
def changing(state: Path, series_id: str) -> Iterator[Record]:
    """Read a record that nobody else changes meanwhile."""
    folder = line_folder(state, series_id)
    with disk.told(folder):
        disk.make_folder(folder)
    with folder_lock(folder):
        yield read(state, series_id)


def place(state: Path, incoming: Path, series_id: str, slot: str) -> None:
    """Move an unpacked bundle into a slot that does not run.

    What is there stays aside, as ``<slot>.old``, until `settle`.

    Raises
    ------
    InstallError
        If it cannot be moved.
    """
    folder = line_folder(state, series_id)
    target, aside = folder / slot, folder / f"{slot}.old"
    with disk.told(target):
        if target.exists():
            target.rename(aside)
        incoming.rename(target)
        sync_folder(folder)
        sync_folder(state)


def settle(state: Path) -> None:
    """Clear away what an install left that did not reach its end; call under the install lock.

    Raises
    ------
    InstallError
        If the state folder cannot be changed.
    """
    with disk.told(state):
        disk.remove_folder(state / INCOMING)
        for aside in sorted((state / "models").glob("*/*.old")):
            _settle_slot(aside)


def _settle_slot(aside: Path) -> None:
    try:
        record = _read_file(aside.parent / NAME)
    except InstallError:
        return  # damaged: an install for that series says so
    slot = aside.with_suffix("")
    if record is not None and record.current is not None and record.current.slot == slot.name:
        disk.remove_folder(aside)  # the new bundle runs
        return
    disk.remove_folder(slot)
    aside.rename(slot)
    sync_folder(slot.parent)


def _entry_json(entry: Entry | None) -> dict[str, object] | None:
    if entry is None:
        return None
    return {"slot": entry.slot, "id": entry.id, "sequence": entry.sequence, "key": entry.key}


def _read_file(path: Path) -> Record | None:
    data = disk.read_bounded(path, _MAX_BYTES)
    if data is None:
        return None
    try:
        return _record(Node(parse(data, str(path), InstallError), str(path), error=InstallError))
    except InstallError as error:
        raise InstallError(f"{error}; remove the file to start anew") from error


def _record(node: Node) -> Record:
    if node.integer("format") != _FORMAT:
        node.refuse("format", str(_FORMAT))
    trial = node.node("trial")
    record = Record(
        series_id=node.text("series_id"),
        current=_entry(node, "current"),
        previous=_entry(node, "previous"),
        trial_left=trial.integer("left"),
        in_cycle=trial.flag("in_cycle"),
        changes=node.integer("changes"),
        rejected=tuple(_rejected(one) for one in node.nodes("rejected")),
    )
    trial.close()
    node.close()
    return record


def _entry(parent: Node, key: str) -> Entry | None:
    if parent.take(key) is None:
        return None
    node = parent.node(key)
    entry = Entry(node.text("slot"), node.text("id"), node.integer("sequence"), node.text("key"))
    if entry.slot not in NAMES:
        node.refuse("slot", " or ".join(NAMES))
    node.close()
    return entry


def _rejected(node: Node) -> Rejected:
    one = Rejected(node.text("id"), node.integer("sequence"), node.text("key"), node.text("why"))
    node.close()
    return one
