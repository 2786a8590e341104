"""What sources of fetched data have in common: a folder, and the command that fills it."""

import os
from abc import abstractmethod
from datetime import UTC, datetime
from pathlib import Path

from frugal_ai.data.remote.store import Store
from frugal_ai.data.source import Request
from frugal_ai.data.sources.file import LongForm


class Fetched(LongForm):
    """A source that reads what a command has fetched, or a file in its place."""

    def absent(self, request: Request) -> str | None:
        """Say what has to be fetched first, and by which command; None if nothing has."""
        store = self._store(request)
        return None if store is None else store.absent(request.since, request.until)

    def _store(self, request: Request) -> Store | None:
        """Return the folder that is read, or None where a file stands in its place."""
        out = fetched_to(request.base / self.path, request.main)
        return None if out is None else self._held_in(out, request)

    @abstractmethod
    def _held_in(self, out: Path, request: Request) -> Store:
        """Return the source's own folder in the one that the command was given."""


def fetched_to(path: Path, replacement: Path | None) -> Path | None:
    """Return the folder that a command has fetched to, None where a file stands in its place."""
    if replacement is None:
        return normal(path)
    return replacement if replacement.is_dir() else None


def normal(path: Path) -> Path:
    """Return a path without the detours that a pipeline's relative path makes."""
    return Path(os.path.normpath(path))


def days(request: Request) -> str:
    """Write the days of a request as options of the command."""
    since = "YYYY-MM-DD" if request.since is None else _day(request.since)
    until = "YYYY-MM-DD" if request.until is None else _day(request.until)
    return f"--from {since} --to {until}"


def _day(t: int) -> str:
    return f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}"
