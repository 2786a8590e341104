"""Fragments of HTML that review adds to a page: signing in, deciding, what was decided."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request

from frugal_ai.review.decisions import Decision
from frugal_ai.review.evidence import SHOWN
from frugal_ai.review.text import MAX_NAME, MAX_REASON
from frugal_ai.review.words import words

Frame = Callable[[Request, str, str, str], str]
"""Puts a fragment into a whole page: request, language, title, fragment."""


def plain_frame(request: Request, language: str, title: str, body: str) -> str:
    """Return a page without a style."""
    _ = request
    return render("frame.html", language, title=title, body=body)


def history(decisions: Sequence[Decision], language: str = "en") -> str:
    """Return a section with decisions, newest first, overridden gates above all."""
    return render(
        "history.html",
        language,
        decisions=tuple(reversed(decisions)),
        overridden=[one for one in decisions if one.failed_gates],
    )


def render(name: str, language: str, **given: object) -> str:
    """Fill in a template; everything but `body` is escaped.

    Parameters
    ----------
    name
        Of the template's file.
    language
        ``en`` or ``fr``.
    given
        What it names.
    """
    limits = {"max_reason": MAX_REASON, "max_name": MAX_NAME}
    return (
        _environment()
        .get_template(name)
        .render({"w": words(language), "language": language, "limits": limits, **given})
    )


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("frugal_ai.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["models"] = _models
    found.filters["short"] = _short
    return found


def _models(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}/{version}" for name, version in versions.items())


def _short(digest: str) -> str:
    return digest[:SHOWN]
