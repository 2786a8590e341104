"""The leaderboard as files for any web server: every comparison and its models, both languages."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from frugal_ai.board.board_page import Frame, board_page
from frugal_ai.board.decided import section, sentences
from frugal_ai.board.entries import Entry, readable
from frugal_ai.board.exports import badge, board_csv, board_json, board_svg
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import Group, shown
from frugal_ai.board.model_page import model_page
from frugal_ai.board.pictures import NAMES, Pictures
from frugal_ai.board.ranking import rank
from frugal_ai.board.render import script, style
from frugal_ai.board.store import Snapshot, Store
from frugal_ai.board.variants import name_of, picks, variants
from frugal_ai.board.words import LANGUAGES, words
from frugal_ai.errors import BoardError, DataError, OutputError
from frugal_ai.files import write_bytes, write_text
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.headers import policy

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
    known
        What there is a page of.
    """

    found: Snapshot
    here: str
    lang: str
    known: frozenset[Filters] = frozenset()

    def board(self, asked: Filters, **changes: object) -> str:
        """Return the address of the comparison that is asked for; the first one of its pipeline."""
        wish = asked.with_(**changes)
        if not wish.pipeline and not wish.group:
            return self._to(f"{_PREFIX[self.lang]}index.html")
        for one in self.found.groups:
            if wish.group in {"", one.key.short} and wish.pipeline in {"", one.key.pipeline}:
                there = Filters(
                    group=one.key.short, metric=wish.metric, scope=wish.scope, lead=wish.lead
                )
                known = there if there in self.known else Filters(group=one.key.short)
                return self._to(f"{_PREFIX[self.lang]}{board_file(known)}")
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
        return self._to(f"{_PREFIX[self.lang]}boards/{name_of(asked)}-{stem}.{kind}")

    def _to(self, path: str) -> str:
        return "../" * self.here.count("/") + path


def board_file(asked: Filters) -> str:
    """Return where the page of a comparison is, in its language."""
    return f"boards/{name_of(asked)}.html"


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
        self._known = {one.key.short: variants(one, found.groups) for one in found.groups}
        self._pages = frozenset(one for some in self._known.values() for one in some)
        self._policy = policy([style()], [script()], framed=True)
        self.count = 0

    def pages(self, lang: str) -> None:
        """Write the pages of a language."""
        for index, group in enumerate(self._found.groups):
            for asked in self._known[group.key.short]:
                self._board(group, asked, lang, board_file(asked))
            usual = Filters(group=group.key.short)
            if index == 0:
                self._board(group, usual, lang, "index.html")
            for entry in readable(shown(group, usual)):
                self._model(entry, lang)

    def _board(self, group: Group, asked: Filters, lang: str, name: str) -> None:
        """Write a page; beside it, what it offers to take away."""
        here = f"{_PREFIX[lang]}{name}"
        frame = self._frame(lang, here)
        known = self._known[group.key.short]
        address = {one: frame.links.board(one) for one in known}
        lines = picks(asked, known, address, frame.words)
        self._write(here, board_page(self._found, asked, frame, lines))
        stem = f"{_PREFIX[lang]}boards/{name_of(asked)}"
        board = rank(group, asked)
        self._write(f"{stem}-board.csv", board_csv(board, asked))
        self._write(f"{stem}-board.json", board_json(board, asked))
        self._write(f"{stem}-board.svg", board_svg(board, asked, frame.words, frame.links))
        self._write(f"{stem}-badge.svg", badge(board, asked, frame.words))

    def _model(self, entry: Entry, lang: str) -> None:
        here = f"{_PREFIX[lang]}{model_file(entry)}"
        frame = self._frame(lang, here)
        past = section(self._record, entry.row.run_id, frame.words) if entry.row.chosen else ""
        self._write(here, model_page(self._found, self._store, entry, frame, history=past))

    def evidence(self) -> None:
        """Write the files and pictures of every run that is on a board."""
        pictures = Pictures(self._store)
        runs = {
            entry.row.run_id: entry
            for group in self._found.groups
            for entry in readable(shown(group, Filters()))
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
        links = Beside(self._found, here, lang, self._pages)
        said = sentences(self._record, told)
        return Frame(told, links, decision=said, policy=self._policy)

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
