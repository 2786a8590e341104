"""All runs of an MLflow server at first sight, read in the background and then kept up to date.

A server takes several milliseconds for each run that it tells of. So the runs that ended last are
asked for first, what has come is there to be shown, and once all are known, only those that ended
since are asked for, with their rungs.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.content import ROLE, row_fields, shared_tags
from frugal_ai.tracking.records import PARENT, Head, RunRecord
from frugal_ai.tracking.rest import PAGE, search

_ANEW_S = (
    3600.0  # what was deleted, or logged long after it ended, is seen after this at the latest
)
_LATE_MS = 600_000  # a run that is logged so long after its end is seen at once
_SHARED = shared_tags()


@dataclass(frozen=True)
class Known:
    """What is known of a server.

    Attributes
    ----------
    heads
        Rungs of the runs that are known as a whole.
    read
        Runs and rungs that were read.
    whole
        Whether these are all that the server has.
    """

    heads: tuple[Head, ...]
    read: int
    whole: bool


@dataclass
class Follower:
    """A server that is followed; safe to ask from several threads.

    Attributes
    ----------
    uri
        Of the server.
    first
        Runs after which the first answer is given, however many there are.
    """

    uri: str
    first: int = PAGE
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _seen: "_Seen | None" = None
    _next: "_Seen | None" = None
    _error: TrackingError | None = None
    _reader: threading.Thread | None = None
    _anew: float = 0.0

    def known(self) -> Known:
        """Return what is known now; the first time, wait for the runs that ended last.

        Raises
        ------
        TrackingError
            If the server cannot be asked.
        """
        with self._changed:
            if self._reader is None and (self._seen is None or time.monotonic() > self._anew):
                self._start()
            while self._seen is None and self._reader is not None and not self._some():
                self._changed.wait()
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._seen is None:
                return (self._next or _Seen()).known()
            seen = self._seen
        if self._reader is None:
            self._add_latest(seen)
        with self._changed:
            return seen.known()

    def _some(self) -> bool:
        return self._next is not None and len(self._next.runs) >= self.first

    def _start(self) -> None:
        self._next, self._anew = _Seen(), time.monotonic() + _ANEW_S
        self._reader = threading.Thread(target=self._read, name="frugal-ai-follow", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Read all; what was known before counts until then."""
        found, failed = self._next or _Seen(), None
        try:
            for page in search(self.uri):
                with self._changed:
                    found.add(page)
                    self._changed.notify_all()
            found.whole = True
        except TrackingError as error:
            failed = error
        finally:
            with self._changed:
                self._error = failed
                self._seen = found if found.whole else self._seen
                self._next = self._reader = None
                self._changed.notify_all()

    def _add_latest(self, seen: "_Seen") -> None:
        """Ask for runs that ended since, and for the rungs of those that are new."""
        since = f"tags.`{ROLE}` = 'run' and attributes.end_time >= {seen.last - _LATE_MS}"
        found = [one for page in search(self.uri, since) for one in page]
        for one in found:
            if one.run_id not in seen.runs:
                rungs = list(search(self.uri, f"tags.`{PARENT}` = '{one.run_id}'"))
                with self._changed:
                    for page in (*rungs, [one]):
                        seen.add(page)


@dataclass
class _Seen:
    """Runs that were read, those that ended last first, as few words of each as will do."""

    runs: dict[str, int] = field(default_factory=dict)  # start of each run that was read [ms]
    parents: set[str] = field(default_factory=set)
    rungs: dict[str, list[Head]] = field(default_factory=dict)  # by run of the pipeline
    earliest: int = 0
    last: int = 0
    whole: bool = False

    def add(self, page: Iterable[RunRecord]) -> None:
        for one in page:
            self.earliest = one.ended if not self.runs else min(self.earliest, one.ended)
            self.last = max(self.last, one.ended)
            if one.run_id in self.runs:
                continue
            self.runs[one.run_id] = one.started
            if one.role == "run":
                self.parents.add(one.run_id)
            elif one.parent and one.status == "FINISHED":
                siblings = self.rungs.setdefault(one.parent, [])
                siblings.append(_head(one, siblings))

    def known(self) -> Known:
        return Known(tuple(self._heads()), len(self.runs), self.whole)

    def _heads(self) -> Iterator[Head]:
        """Yield rungs of runs that are known as a whole: none of theirs can be still to come.

        No rung ends before its run began, so those of a run that began after the earliest end that
        was read are all there.
        """
        for parent in self.parents:
            if self.whole or self.runs[parent] > self.earliest:
                yield from self.rungs.get(parent, ())


def _head(record: RunRecord, siblings: list[Head]) -> Head:
    tags = record.tags
    shared = siblings[0].shared if siblings else _shared(record)
    return Head(
        record.run_id,
        record.parent or "",
        tags.get("frugal.rung", ""),
        tags.get("frugal.chosen") == "true",
        tags.get("frugal.ended", ""),
        shared,
    )


def _shared(record: RunRecord) -> dict[str, str]:
    return row_fields({name: record.tags[name] for name in _SHARED if name in record.tags})
