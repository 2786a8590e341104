"""Rows of a leaderboard as text for other programs."""

import csv
import io
import json
from collections.abc import Iterable

from frugal_ai.report import Figures, RungRow

_FIRST = ("pipeline", "rung", "family", "chosen", "verdict", "over")


def to_json(rows: Iterable[RungRow]) -> str:
    """Write rows as a JSON array of objects; what is not known is null."""
    return json.dumps([row.model_dump(mode="json") for row in rows], indent=1)


def to_csv(rows: Iterable[RungRow]) -> str:
    """Write rows as comma-separated values, in full precision; what is not known is empty.

    An interval has a column for each end: ``skill_ci`` becomes ``skill_lo`` and ``skill_hi``.
    Errors by lead time are JSON in one cell.
    """
    nested = set(Figures.model_fields)
    last = [name for name in RungRow.model_fields if name not in nested | set(_FIRST)]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_FIRST, *Figures().flat(), *last], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        plain = row.model_dump(mode="json", exclude=nested)
        writer.writerow({name: _text(value) for name, value in (plain | row.flat()).items()})
    return text.getvalue()


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return json.dumps(value) if value else ""
    return value
