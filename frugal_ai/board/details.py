"""Models in full, read from a store when they are shown, and kept while the store is unchanged."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from frugal_ai.board.entries import Entry, Full, Run, full_of, run_of
from frugal_ai.tracking.records import RunRecord, read_records
from frugal_ai.tracking.rest import named
from frugal_ai.tracking.uri import database


@dataclass
class Logged:
    """What a store has of the models that were asked for; safe to ask from several threads.

    `uri` is as `resolve` returns it.
    """

    uri: str
    _models: dict[str, Full | None] = field(default_factory=dict)
    _runs: dict[str, Run] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, entries: Sequence[Entry]) -> None:
        """Read models with their runs, those that are not known yet.

        Raises
        ------
        TrackingError
            If the store cannot be read.
        """
        with self._lock:
            wanted = {one.id: one for one in entries if one.id not in self._models}
            if not wanted:
                return
            parents = {one.parent for one in wanted.values()} - self._runs.keys()
            found = self._read([*wanted, *parents])
            self._note_runs(parents, found)
            for name, one in wanted.items():
                record = found.get(name)
                run = self._runs[one.parent]
                self._models[name] = None if record is None else full_of(one, record, run)

    def load_runs(self, parents: Iterable[str]) -> None:
        """Read runs without their models.

        Raises
        ------
        TrackingError
            If the store cannot be read.
        """
        with self._lock:
            wanted = set(parents) - self._runs.keys()
            if wanted:
                self._note_runs(wanted, self._read(sorted(wanted)))

    def full(self, entry: Entry) -> Full | None:
        """Return a model; None where what was logged of it is spoilt."""
        if entry.id not in self._models:
            self.load([entry])
        return self._models[entry.id]

    def run(self, parent: str) -> Run:
        """Return a run."""
        if parent not in self._runs:
            self.load_runs([parent])
        return self._runs[parent]

    def _note_runs(self, parents: Iterable[str], found: dict[str, RunRecord]) -> None:
        for name in parents:
            self._runs[name] = run_of(found.get(name) or RunRecord(name, "", ""))

    def _read(self, run_ids: Sequence[str]) -> dict[str, RunRecord]:
        if database(self.uri) is not None:
            return read_records(self.uri, run_ids)
        return {one.run_id: one for one in named(self.uri, run_ids)}
