"""A page that several commands write, each its own section between two comments."""

from pathlib import Path

from frugal_ai.errors import OutputError
from frugal_ai.files import write_text


def write_section(path: Path, name: str, text: str) -> None:
    """Put a command's section in the place of the one that it wrote before, else at the end.

    Raises
    ------
    OutputError
        If one of its comments is missing, stands twice or before the other, or the page cannot be
        written; what was there stays.
    """
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        write_text(path, replaced(page, name, text))
    except ValueError as error:
        raise OutputError(f"{path}: {error}") from error


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with a section renewed; all around it stays as it is.

    Raises
    ------
    ValueError
        If one of its comments is missing, stands twice or before the other.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    section = f"{begin}\n\n{text.strip()}\n\n{end}"
    counts = page.count(begin), page.count(end)
    if counts == (0, 0):
        return f"{page.rstrip()}\n\n{section}\n".lstrip()
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if counts != (1, 1) or not found:
        raise ValueError(f"expected {begin} and {end} after it, each once")
    return f"{before}{section}{after}"
