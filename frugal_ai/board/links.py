"""Addresses of pages and files: of a live server, or of files beside each other."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters


class Links(Protocol):
    """Where things are, seen from a page."""

    def board(self, asked: Filters, **changes: object) -> str:
        """Return the address of a board."""
        ...

    def language(self, asked: Filters, language: str) -> str:
        """Return the address of the same board in another language."""
        ...

    def model(self, entry: Entry) -> str:
        """Return the address of a model's page."""
        ...

    def file(self, entry: Entry, name: str) -> str:
        """Return the address of a file of a model's run."""
        ...

    def plot(self, entry: Entry, name: str) -> str:
        """Return the address of a picture of a run's chosen model."""
        ...

    def export(self, asked: Filters, name: str) -> str:
        """Return the address of a board as a file: ``board.csv`` and others."""
        ...


@dataclass(frozen=True)
class Live:
    """Addresses of a server.

    `root` is what a proxy puts before all paths; `lang` the language that the address asks for,
    empty where the browser's counts.
    """

    root: str = ""
    lang: str = ""

    def board(self, asked: Filters, **changes: object) -> str:
        """Return the address of a board."""
        return self._with(f"{self.root}/", asked.query(**changes), self.lang)

    def language(self, asked: Filters, language: str) -> str:
        """Return the address of the same board in another language."""
        return self._with(f"{self.root}/", asked.query(page=asked.page), language)

    def model(self, entry: Entry) -> str:
        """Return the address of a model's page."""
        path = f"{self.root}/models/{quote(entry.run_id)}"
        if not entry.chosen:
            path += f"/rungs/{quote(entry.rung, safe='')}"
        return self._with(path, "", self.lang)

    def file(self, entry: Entry, name: str) -> str:
        """Return the address of a file of a model's run."""
        return f"{self.root}/models/{quote(entry.run_id)}/files/{quote(name)}"

    def plot(self, entry: Entry, name: str) -> str:
        """Return the address of a picture of a run's chosen model."""
        return f"{self.root}/models/{quote(entry.run_id)}/plots/{quote(name)}.svg"

    def export(self, asked: Filters, name: str) -> str:
        """Return the address of a board as a file."""
        return self._with(f"{self.root}/{name}", asked.query(), self.lang)

    @staticmethod
    def _with(path: str, query: str, lang: str) -> str:
        parts = [part for part in (query, urlencode({"lang": lang}) if lang else "") if part]
        return f"{path}?{'&'.join(parts)}" if parts else path
