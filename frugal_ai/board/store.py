"""What a tracking store holds, read once and again when a run has ended since."""

import gc
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from frugal_ai.board.details import Logged
from frugal_ai.board.entries import Entry, read_entries, readable
from frugal_ai.board.groups import Group, group_up
from frugal_ai.errors import BoardError
from frugal_ai.tracking.artifacts import list_files, open_file
from frugal_ai.tracking.follow import Follower
from frugal_ai.tracking.records import Head, Stamp, read_heads, read_stamp
from frugal_ai.tracking.uri import database, default_uri, resolve

_ASK_EVERY_S = 2.0


@dataclass(frozen=True)
class Snapshot:
    """All models at one time: in groups, and by run and rung.

    `read` is how many runs of a server were read, while it has more; None once all are known.
    """

    stamp: Stamp
    groups: Sequence[Group]
    entries: Mapping[tuple[str, str], Entry]
    read: int | None = None

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
        if rung is not None:
            wanted = self.entries.get((run_id, rung))
        else:
            own = (one for one in self.entries.values() if one.run_id == run_id)
            wanted = next((one for one in own if one.chosen), None)
        if wanted is not None and readable([wanted]):
            return wanted
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
    _server: Follower | None = None

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
            where = resolve(self.uri)
            self._last = self._of_server(where) if database(where) is None else self._of(where)
            self._asked = now
            return self._last

    def whole(self) -> Snapshot:
        """Return all that there is, once a server was read to its end.

        Raises
        ------
        TrackingError
            If the store cannot be read.
        """
        while (found := self.snapshot()).read is not None:
            time.sleep(_ASK_EVERY_S)
        return found

    def _of(self, where: str) -> Snapshot:
        """Read a database, where it has changed."""
        stamp = read_stamp(where)
        if self._last is not None and stamp == self._last.stamp:
            return self._last
        with _all_kept():
            return _snapshot(where, stamp, read_heads(where))

    def _of_server(self, where: str) -> Snapshot:
        """Take what a server has told so far."""
        self._server = self._server or Follower(where)
        known = self._server.known()
        stamp = known.read, int(known.whole)
        if self._last is not None and stamp == self._last.stamp:
            return self._last
        return _snapshot(where, stamp, known.heads, None if known.whole else known.read)

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


def _snapshot(where: str, stamp: Stamp, heads: Sequence[Head], read: int | None = None) -> Snapshot:
    details = Logged(where)
    by_name = {(one.run_id, one.rung): one for one in read_entries(heads, details)}
    groups = group_up(by_name.values())
    details.load_runs(one.latest.parent for one in groups)
    return Snapshot(stamp, groups, by_name, read)


@contextmanager
def _all_kept() -> Iterator[None]:
    """Look for no garbage while many objects are made that are none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
