"""Words from a manifest in a C file: comments, strings and names."""

import re
import textwrap

_WIDTH = 96
_WORD = re.compile(r"[^A-Za-z0-9]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")


def comment(text: str) -> str:
    """Write a comment; each line of the text starts on a line of its own."""
    safe = text.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
    lines = []
    for paragraph in safe.split("\n"):
        printable = "".join(c if c.isprintable() else " " for c in paragraph).rstrip("\\ ")
        lines += textwrap.wrap(printable, _WIDTH) or [""]
    return "/* " + "\n * ".join(lines).replace(" * \n", " *\n") + "\n */"


def string(text: str) -> str:
    """Write a string; what is not plain ASCII as the octal bytes of its UTF-8."""
    plain = re.compile(rb"[A-Za-z0-9 _.,:;/()%+-]")
    parts = [
        chr(byte) if plain.fullmatch(bytes([byte])) else f"\\{byte:03o}" for byte in text.encode()
    ]
    return '"' + "".join(parts) + '"'


def name_of(text: str) -> str:
    """Make a name of a text: lower case, words joined by underlines."""
    words = _WORD.sub("_", text).strip("_").lower()
    return f"frugal_{words or 'model'}"[:31].rstrip("_")


def is_name(text: str) -> bool:
    """Say whether a text is a name that every C99 compiler tells from others."""
    return _NAME.fullmatch(text) is not None
