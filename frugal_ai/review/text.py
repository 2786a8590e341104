"""What people write: names and reasons, kept in one line of a log and one paragraph of a page."""

import json
import re
import unicodedata

from pydantic import ValidationError

from frugal_ai.errors import ReviewError
from frugal_ai.settings import describe

MAX_REASON = 2000
MAX_NAME = 64
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.@-]{{0,{MAX_NAME - 1}}}")
_LOGGED = 80
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}  # control, direction, unassigned, separators
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


def account_name(text: str) -> str:
    """Check the name of somebody who signs in.

    Raises
    ------
    ReviewError
        If it is empty, too long, or has other signs than letters, digits and ``_.@-``.
    """
    if not _NAME.fullmatch(text):
        raise ReviewError(
            f"expected a name of at most {MAX_NAME} letters, digits, '_', '.', '@' and '-', "
            f"got {logged(text)}"
        )
    return text


def person(text: str) -> str:
    """Check the name of somebody who decides at the command line.

    Raises
    ------
    ReviewError
        If it is empty, too long, or would not show as it is.
    """
    name = text.strip()
    if not name or len(name) > MAX_NAME or any(_hidden(sign) for sign in name):
        raise ReviewError(f"expected a name of 1 to {MAX_NAME} signs, got {logged(text)}")
    return name


def reason(text: str) -> str:
    """Check a reason; lines may be broken, and nothing in it is hidden.

    Raises
    ------
    ReviewError
        If it is empty, too long, or has signs that do not show.
    """
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not kept:
        raise ReviewError("expected a reason, got none")
    if len(kept) > MAX_REASON:
        raise ReviewError(f"expected a reason of at most {MAX_REASON} signs, got {len(kept)}")
    hidden = next((sign for sign in kept if sign != "\n" and _hidden(sign)), None)
    if hidden is not None:
        raise ReviewError(f"expected a reason without hidden signs, got U+{ord(hidden):04X}")
    return kept


def logged(text: str) -> str:
    """Quote what came from outside so that it stays on one line, in ASCII."""
    short = text if len(text) <= _LOGGED else text[: _LOGGED - 3] + "..."
    return json.dumps(short)


def in_markdown(text: str) -> str:
    """Escape a text so that a page in Markdown shows it as it was written, on one line."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", plain).replace("\n", " / ")


def problem(error: ValidationError) -> str:
    """Say what is wrong with a line of a file; no hash of a password is repeated."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return "expected a JSON object"
    return "scrypt: expected a hash" if "scrypt" in first["loc"] else describe(error)


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in _HIDDEN
