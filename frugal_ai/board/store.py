"""What a tracking store holds, read once and again when a run has ended since."""

import gc
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from frugal_ai.board.entries import METRICS, TAGS, Entry, read_entries
from frugal_ai.board.groups import Group, group_up
from frugal_ai.errors import BoardError
from frugal_ai.tracking.artifacts import list_files, open_file
from frugal_ai.tracking.records import Stamp, read_records, read_stamp
from frugal_ai.tracking.uri import default_uri

_ASK_EVERY_S = 2.0


@dataclass(frozen=True)
class Snapshot:
    """All models at one time: in groups, and by run and rung."""

    stamp: Stamp
    groups: Sequence[Group]
    entries: Mapping[tuple[str, str], Entry]

    @property
    def pipelines(self) -> list[str]:
        """Names, those with the latest runs first."""
        return list(dict.fromkeys(one.key.pipeline for one in self.groups))

    def model(self, run_id: str, rung: str | None = None) -> Entry:
        """Return a model of a run, by default the chosen one.

        Raises
        ------
        BoardError
            If there is none.
        """
        if rung is not None and (run_id, rung) in self.entries:
            return self.entries[run_id, rung]
        own = [one for one in self.entries.values() if one.row.run_id == run_id]
        chosen = next((one for one in own if one.row.chosen), None)
        if rung is None and chosen is not None:
            return chosen
        raise BoardError("expected a model that was logged, there is no such one")


@dataclass
class Store:
    """A tracking store; safe to ask from several threads.

    Parameters
    ----------
    uri
        Tracking URI; by default that of ``runs/``.
    """

    uri: str = field(default_factory=lambda: default_uri(Path("runs")))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: Snapshot | None = None
    _asked: float = 0.0

    def snapshot(self) -> Snapshot:
        """Return what there is now.

        Raises
        ------
        TrackingError
            If the store cannot be read.
        """
        with self._lock:
            now = time.monotonic()
            if self._last is not None and now - self._asked < _ASK_EVERY_S:
                return self._last
            stamp = read_stamp(self.uri)
            if self._last is None or stamp != self._last.stamp:
                self._last = _read(self.uri, stamp)
            self._asked = now
            return self._last

    def files(self, entry: Entry) -> dict[str, int]:
        """Return the files of a model's run, with their sizes [bytes]."""
        return list_files(self.uri, entry.run.id, entry.run.artifact_uri)

    def read(self, entry: Entry, name: str) -> bytes:
        """Return a file of a model's run.

        Raises
        ------
        TrackingError
            If there is no such file.
        """
        with open_file(self.uri, entry.run.id, entry.run.artifact_uri, name) as path:
            return path.read_bytes()


def _read(uri: str, stamp: Stamp) -> Snapshot:
    with _all_kept():
        entries = read_entries(read_records(uri, METRICS, TAGS))
    by_name = {(one.row.run_id, one.row.rung): one for one in entries}
    return Snapshot(stamp, group_up(by_name.values()), by_name)


@contextmanager
def _all_kept() -> Iterator[None]:
    """Look for no garbage while a million objects are made that are none: an eighth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
