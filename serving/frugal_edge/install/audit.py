"""The audit of a gateway: who changed what, and when, one JSON object a line."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frugal_edge.errors import InstallError
from frugal_edge.strict_json import Node, parse

NAME = "audit.jsonl"
_TAIL = 1 << 16  # bytes; a line is shorter


def append(state: Path, what: str, **facts: object) -> None:
    """Append one line, durably; what a loss of power left of a line before is taken away.

    Parameters
    ----------
    state
        State folder of the gateway; made if it is not there.
    what
        What is done, such as ``trust-add``.
    facts
        More to remember of it; JSON values.

    Raises
    ------
    InstallError
        If it cannot be written; then what should be audited must not be done.
    """
    event = {"time": _now(), "who": _who(), "what": what, **facts}
    line = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    path = state / NAME
    try:
        state.mkdir(parents=True, exist_ok=True)
        with _alone(path) as descriptor:
            os.ftruncate(descriptor, _end_of_lines(descriptor))
            _write(descriptor, line.encode())
            os.fsync(descriptor)
    except OSError as error:
        raise InstallError(f"{path}: cannot be written: {error.strerror}") from error


def read(state: Path) -> list[dict[str, object]]:
    """Return all that was audited, oldest first; a last line that was cut off is left out.

    Raises
    ------
    InstallError
        If the file cannot be read, or another line is no JSON object.
    """
    path = state / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InstallError(f"{path}: cannot be read: {error.strerror}") from error
    lines = data.split(b"\n")[:-1]
    return [_event(line, f"{path}: line {number}") for number, line in enumerate(lines, 1)]


def _event(line: bytes, place: str) -> dict[str, object]:
    return Node(parse(line, place, InstallError), place, error=InstallError).as_dict()


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """Open a file for appending, while no other process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _end_of_lines(descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    start = max(0, size - _TAIL)
    tail = os.pread(descriptor, _TAIL, start)
    return start + tail.rfind(b"\n") + 1 if b"\n" in tail or start == 0 else size


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _who() -> str:
    """Name the user of the process, and the one who became that user with sudo."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    before = os.environ.get("SUDO_USER")
    return f"{before} as {name}" if before else name
