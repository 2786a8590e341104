"""A ledger as a file: one JSON object per line; a run's own, or one that many runs append to."""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from frugal_ai.cost.record import RECORD_VERSION, Record
from frugal_ai.errors import CostError, OutputError
from frugal_ai.files import write_text

_FIELDS = {field.name for field in fields(Record)}
_OPTIONAL = {field.name for field in fields(Record) if field.default is not MISSING}


@dataclass(frozen=True)
class LedgerLines:
    """What a ledger holds, and which lines could not be read, with file, line and reason."""

    records: tuple[Record, ...]
    problems: tuple[str, ...]


def write_ledger(records: Iterable[Record], path: Path) -> None:
    """Write one record per line, atomically.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing half-written is left behind.
    """
    write_text(path, _text(records))


def append_ledger(records: Iterable[Record], path: Path) -> None:
    """Append records to a ledger that other processes append to, too; none of theirs is lost.

    The lines are written in one piece under a lock and are on the disk when this returns. After a
    line that a crash has cut in half they start on a line of their own.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    content = _text(records).encode()
    try:
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            size = file.seek(0, os.SEEK_END)
            if size and _last_byte(file.fileno(), size) != b"\n":
                content = b"\n" + content
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def read_ledger(path: Path) -> tuple[Record, ...]:
    """Read what `write_ledger` wrote.

    Raises
    ------
    CostError
        If the file cannot be read, or a line is not a record.
    """
    lines = read_lines(path)
    if lines.problems:
        raise CostError(lines.problems[0])
    return lines.records


def read_lines(path: Path) -> LedgerLines:
    """Read every line that is a record; one that is not is a problem, and the rest is read.

    Raises
    ------
    CostError
        If the file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise CostError(f"{path}: cannot be read: {error}") from error
    records, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(_parse(line, f"{path}:{number}"))
        except CostError as error:
            problems.append(str(error))
    return LedgerLines(tuple(records), tuple(problems))


def _text(records: Iterable[Record]) -> str:
    return "".join(f"{json.dumps(asdict(record), allow_nan=False)}\n" for record in records)


def _last_byte(descriptor: int, size: int) -> bytes:
    return os.pread(descriptor, 1, size - 1)


def _parse(line: bytes, at: str) -> Record:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise CostError(f"{at}: expected a record in JSON: {error}") from error
    if not isinstance(values, dict) or values.get("record_version") not in {1, RECORD_VERSION}:
        raise CostError(f"{at}: expected a record of version {RECORD_VERSION} or 1")
    values = _current(values)
    if values.keys() != _FIELDS:
        differing = ", ".join(sorted(values.keys() ^ _FIELDS))
        raise CostError(f"{at}: expected the fields of a record, missing or unknown: {differing}")
    interval = values["metric_ci"]
    return Record(**(values | {"metric_ci": interval if interval is None else tuple(interval)}))


def _current(values: dict[str, Any]) -> dict[str, Any]:
    """Bring a record of version 1 to this one."""
    if values["record_version"] == RECORD_VERSION:
        return values
    known = dict(values)
    if "intensity_year" in known:
        known["intensity_year_or_time"] = str(known.pop("intensity_year"))
    absent = {f.name: f.default for f in fields(Record) if f.name in _OPTIONAL}
    absent["experiment_id"] = known.get("project_name", "")  # they were one
    return absent | known | {"record_version": RECORD_VERSION}
