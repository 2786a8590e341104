"""Words to whoever started the program: results on stdout, everything else on stderr."""

import os
import sys

from frugal_edge.errors import OutputError


def write(text: str) -> None:
    """Write a result to stdout, in UTF-8 wherever it runs.

    Raises
    ------
    OutputError
        If stdout is closed or full.
    """
    if sys.stdout is None:
        raise OutputError("stdout: cannot be written: it is closed")
    try:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would be tried again, and fail again, at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"stdout: cannot be written: {error.strerror}") from error


def tell(level: str, text: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"frugal-edge: {level}: {' '.join(text.split())}\n")
