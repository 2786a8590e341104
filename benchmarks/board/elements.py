"""How many elements a page has, as EcoIndex counts them and without rows beyond the first ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

ROWS = 25
_VOID = {"meta", "link", "input", "br", "img", "hr"}


@dataclass(frozen=True)
class Elements:
    """Counts of elements.

    Attributes
    ----------
    all
        Of the whole page.
    outside
        Without those inside of an SVG picture.
    short
        Of the whole page, without those of table rows beyond the first 25.
    sources
        Addresses that the page loads by itself.
    """

    all: int
    outside: int
    short: int
    sources: tuple[str, ...]


@dataclass
class _Counter(HTMLParser):
    open: list[str] = field(default_factory=list)
    count: int = 0
    inside: int = 0
    late: int = 0
    rows: int = 0
    sources: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.count += 1
        self.inside += "svg" in self.open
        if tag == "tr" and "tbody" in self.open:
            self.rows += 1
        self.late += self.rows > ROWS and "tbody" in self.open
        named = dict(attrs)
        if tag in {"img", "script", "iframe", "source"} and named.get("src"):
            self.sources.append(str(named["src"]))
        if tag == "link" and named.get("href"):
            self.sources.append(str(named["href"]))
        if tag not in _VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def count(page: str) -> Elements:
    """Count the elements of a page."""
    counter = _Counter()
    counter.feed(page)
    loaded = tuple(one for one in counter.sources if not one.startswith("data:"))
    return Elements(
        counter.count, counter.count - counter.inside, counter.count - counter.late, loaded
    )
