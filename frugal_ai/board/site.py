"""The leaderboard as files for any web server: every comparison and its models, both languages."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from frugal_ai.board.board_page import Frame, board_page
from frugal_ai.board.decided import section, sentences
from frugal_ai.board.entries import Entry
from frugal_ai.board.exports import badge, board_csv, board_json, board_svg
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import Group, shown
from frugal_ai.board.model_page import model_page
from frugal_ai.board.pictures import NAMES, Pictures
from frugal_ai.board.ranking import rank
from frugal_ai.board.store import Snapshot, Store
from frugal_ai.board.words import LANGUAGES, words
from frugal_ai.errors import BoardError, DataError, OutputError
from frugal_ai.files import write_bytes, write_text
from frugal_ai.review.decisions import Decisions

_PREFIX = {"en": "", "fr": "fr/"}


@dataclass(frozen=True)
class Beside:
    """Addresses of files beside each other.

    Attributes
    ----------
    found
        All there is.
    here
        The page that they are seen from, by its path in the site.
    lang
        Its language.
    """

    found: Snapshot
    here: str
    lang: str

    def board(self, asked: Filters, **changes: object) -> str:
        """Return the address of the comparison that is asked for; the first one of its pipeline."""
        wish = asked.with_(**changes)
        if not wish.pipeline and not wish.group:
            return self._to(f"{_PREFIX[self.lang]}index.html")
        for one in self.found.groups:
            if wish.group in {"", one.key.short} and wish.pipeline in {"", one.key.pipeline}:
                return self._to(f"{_PREFIX[self.lang]}{board_file(one)}")
        return self._to(f"{_PREFIX[self.lang]}index.html")

    def language(self, asked: Filters, language: str) -> str:
        """Return the address of the same page in another language."""
        _ = asked
        plain = self.here.removeprefix(_PREFIX[self.lang])
        return self._to(f"{_PREFIX[language]}{plain}")

    def model(self, entry: Entry) -> str:
        """Return the address of a model's page."""
        return self._to(f"{_PREFIX[self.lang]}{model_file(entry)}")

    def file(self, entry: Entry, name: str) -> str:
        """Return the address of a file of a model's run."""
        return self._to(f"runs/{quote(entry.row.run_id)}/files/{quote(name)}")

    def plot(self, entry: Entry, name: str) -> str:
        """Return the address of a picture of a run's chosen model."""
        return self._to(f"runs/{quote(entry.row.run_id)}/plots/{quote(name)}.svg")

    def export(self, asked: Filters, name: str) -> str:
        """Return the address of a board as a file."""
        stem, _, kind = name.partition(".")
        return self._to(f"{_PREFIX[self.lang]}boards/{asked.group}-{stem}.{kind}")

    def _to(self, path: str) -> str:
        return "../" * self.here.count("/") + path


def board_file(group: Group) -> str:
    """Return where the page of a comparison is, in its language."""
    return f"boards/{group.key.short}.html"


def model_file(entry: Entry) -> str:
    """Return where the page of a model is, in its language."""
    if entry.chosen:
        return f"models/{entry.run_id}.html"
    digest = hashlib.sha256(entry.id.encode()).hexdigest()
    return f"models/{entry.run_id}-{digest[:8]}.html"


def write_site(store: Store, record: Decisions | None, out: Path) -> int:
    """Write the site into a folder and return how many files it has.

    Raises
    ------
    BoardError
        If nothing has been logged.
    TrackingError
        If the store cannot be read.
    OutputError
        If a file cannot be written.
    """
    found = store.whole()
    if not found.groups:
        raise BoardError(f"{store.uri}: expected a run that was logged, there is none")
    site = _Site(store, record, out, found)
    for lang in LANGUAGES:
        site.pages(lang)
    site.evidence()
    return site.count


class _Site:
    def __init__(self, store: Store, record: Decisions | None, out: Path, found: Snapshot) -> None:
        self._store, self._record, self._out, self._found = store, record, out, found
        self.count = 0

    def pages(self, lang: str) -> None:
        """Write the pages of a language."""
        prefix = _PREFIX[lang]
        for index, group in enumerate(self._found.groups):
            asked = Filters(group=group.key.short)
            if index == 0:
                here = f"{prefix}index.html"
                page = board_page(self._found, asked, self._frame(lang, here), form=False)
                self._write(here, page)
            here = f"{prefix}{board_file(group)}"
            frame = self._frame(lang, here)
            self._write(here, board_page(self._found, asked, frame, form=False))
            self._exports(group, asked, frame, f"{prefix}boards/{asked.group}")
            for entry in shown(group, asked):
                self._model(entry, lang)

    def _model(self, entry: Entry, lang: str) -> None:
        here = f"{_PREFIX[lang]}{model_file(entry)}"
        frame = self._frame(lang, here)
        past = section(self._record, entry.row.run_id, frame.words) if entry.row.chosen else ""
        self._write(here, model_page(self._found, self._store, entry, frame, history=past))

    def _exports(self, group: Group, asked: Filters, frame: Frame, stem: str) -> None:
        board = rank(group, asked)
        self._write(f"{stem}-board.csv", board_csv(board, asked))
        self._write(f"{stem}-board.json", board_json(board, asked))
        self._write(f"{stem}-board.svg", board_svg(board, asked, frame.words, frame.links))
        self._write(f"{stem}-badge.svg", badge(board, asked, frame.words))

    def evidence(self) -> None:
        """Write the files and pictures of every run that is on a board."""
        pictures = Pictures(self._store)
        runs = {
            entry.row.run_id: entry
            for group in self._found.groups
            for entry in shown(group, Filters())
        }
        for run_id, one in runs.items():
            for name in self._store.files(one):
                self._write(f"runs/{run_id}/files/{name}", self._store.read(one, name))
            for name in NAMES:
                drawn = self._drawn(pictures, one, name)
                if drawn is not None:
                    self._write(f"runs/{run_id}/plots/{name}.svg", drawn)

    @staticmethod
    def _drawn(pictures: Pictures, entry: Entry, name: str) -> str | None:
        try:
            return pictures.get(entry, name)
        except DataError:
            return None  # an interrupted run kept no forecasts that could be drawn

    def _frame(self, lang: str, here: str) -> Frame:
        told = words(lang)
        links = Beside(self._found, here, lang)
        return Frame(told, links, decision=sentences(self._record, told))

    def _write(self, name: str, content: str | bytes) -> None:
        path = self._out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent}: cannot be created: {error.strerror}") from error
        if isinstance(content, str):
            write_text(path, content)
        else:
            write_bytes(path, content)
        self.count += 1
