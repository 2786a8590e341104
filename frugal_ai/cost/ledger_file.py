"""A ledger as a file: one JSON object per line."""

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from frugal_ai.cost.record import RECORD_VERSION, Record
from frugal_ai.errors import CostError
from frugal_ai.files import write_text


def write_ledger(records: Iterable[Record], path: Path) -> None:
    """Write one record per line, atomically.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing half-written is left behind.
    """
    lines = [json.dumps(asdict(record), allow_nan=False) for record in records]
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_ledger(path: Path) -> tuple[Record, ...]:
    """Read what `write_ledger` wrote.

    Raises
    ------
    CostError
        If the file cannot be read, or a line is not a record of this version.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CostError(f"{path}: cannot be read: {error}") from error
    return tuple(_parse(line, f"{path}:{number}") for number, line in enumerate(lines, 1))


def _parse(line: str, at: str) -> Record:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise CostError(f"{at}: expected a record in JSON: {error}") from error
    expected = {field.name for field in fields(Record)}
    if not isinstance(values, dict) or values.get("record_version") != RECORD_VERSION:
        raise CostError(f"{at}: expected a record of version {RECORD_VERSION}")
    if values.keys() != expected:
        differing = ", ".join(sorted(values.keys() ^ expected))
        raise CostError(f"{at}: expected the fields of a record, missing or unknown: {differing}")
    return Record(**values)
