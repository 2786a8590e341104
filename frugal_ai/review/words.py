"""What the pages of review say, a catalogue for each language in `i18n`."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from starlette.requests import Request

LANGUAGES = ("en", "fr")


@cache
def words(language: str) -> Mapping[str, str]:
    """Return all words of a language; English for one that there is not."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    content = files("frugal_ai.review").joinpath("i18n", f"{known}.json").read_bytes()
    found: dict[str, str] = json.loads(content)
    return found


def language_of(request: Request) -> str:
    """Return the language that a request asks for: by ``lang``, else by the browser's first."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    first = request.headers.get("accept-language", "").strip().lower()[:2]
    return first if first in LANGUAGES else LANGUAGES[0]
