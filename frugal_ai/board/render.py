"""Templates into pages: everything is escaped but what is marked as our own HTML."""

from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render(name: str, **given: object) -> str:
    """Fill in a template."""
    return _environment().get_template(name).render(given)


@cache
def style() -> str:
    """Return the one style sheet, which stands in every page."""
    return _text("style.css")


@cache
def script() -> str:
    """Return the one script, without which all works, too."""
    return _text("board.js")


def own(text: str) -> Markup:
    """Mark HTML that this project has made, and escaped, as such."""
    return Markup(text)  # noqa: S704 - the callers escape what is not theirs


def _text(name: str) -> str:
    file = resources.files("frugal_ai.board") / "pages" / name
    return file.read_text(encoding="utf-8").strip()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("frugal_ai.board", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
