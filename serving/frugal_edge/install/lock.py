"""Locks between processes; the system frees them when their holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frugal_edge.errors import InstallError
from frugal_edge.install.disk import make_folder, told

_SHOWN = 200  # bytes of what the holder says about itself


@contextmanager
def sole(path: Path, what: str) -> Iterator[None]:
    """Hold a lock file, or say who does.

    Parameters
    ----------
    path
        The lock file.
    what
        What is being done, in a few words, for whoever comes second.

    Raises
    ------
    InstallError
        If another process holds it, or it cannot be written.
    """
    with told(path):
        make_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, _SHOWN, 0).decode(errors="replace").strip()
            raise InstallError(f"{path}: held by {holder or 'another process'}") from None
        with told(path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()}: {what}"[:_SHOWN].encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def folder_lock(path: Path) -> Iterator[None]:
    """Wait for a folder's lock: it is held for the time of one small write."""
    with told(path, "cannot be locked"):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with told(path, "cannot be locked"):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
