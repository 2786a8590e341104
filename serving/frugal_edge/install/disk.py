"""Files that are there whole after a power cut, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frugal_edge.errors import EdgeError, InstallError
from frugal_edge.files import sync_folder

MARGIN = 16 << 20  # bytes that an update leaves free for the rest of the gateway


@contextmanager
def told(path: Path, what: str = "cannot be written") -> Iterator[None]:
    """Turn what the operating system refuses into one line.

    Raises
    ------
    InstallError
        With the path, and the system's reason.
    """
    try:
        yield
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else path
        raise InstallError(f"{place}: {what}: {error.strerror or error}") from error


def write_synced(path: Path, data: bytes) -> None:
    """Write a new file durably; its name is durable once its folder is."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    handle = os.open(path, flags, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_synced(path: Path, data: bytes) -> None:
    """Put new content in the place of a file, durably; a reader sees the old or the new.

    One process at a time may do so for one path: callers hold a lock. So a draft that a killed
    process left is found by its name, and overwritten.
    """
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        write_synced(draft, data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, durably."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def check_room(folder: Path, needed: int, margin: int = MARGIN) -> None:
    """Refuse what would fill the disk.

    Raises
    ------
    InstallError
        If less than `needed` and `margin` [bytes] are free where the folder is.
    """
    with told(folder, "cannot be read"):
        free = shutil.disk_usage(folder).free
    if free < needed + margin:
        raise InstallError(
            f"{folder}: no room: expected {needed + margin} bytes free"
            f" ({needed} for the bundle, {margin} kept for the rest), got {free}"
        )


def read_bounded(path: Path, most: int, error: type[EdgeError] = InstallError) -> bytes | None:
    """Read a file of at most `most` bytes; None if there is none.

    Raises
    ------
    EdgeError
        Of the class given: if it is longer or cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise error(f"{path}: cannot be read: {wrong.strerror}") from wrong
    if len(data) > most:
        raise error(f"{path}: expected at most {most} bytes")
    return data
