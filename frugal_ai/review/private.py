"""Files that their owner alone may read."""

import os
from pathlib import Path

from frugal_ai.errors import ReviewError

MODE = 0o600
_OTHERS = 0o077


def read_private(path: Path, most: int) -> bytes:
    """Read a file, at most so many bytes of it.

    Raises
    ------
    ReviewError
        If it cannot be read, or others than its owner may read or write it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(most)
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise ReviewError(f"{path}: others than its owner may read or write it; chmod 600 it")
    return data
