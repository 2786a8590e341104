"""How many threads numeric libraries may use, and which setting was in force."""

import os
import sys

from frugal_ai.errors import CostError

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
"""Read once, by OpenMP, the BLAS libraries and Polars, when they are loaded."""


def pinned_threads(n: int) -> bool:
    """Pin numeric libraries to `n` threads, for this process and its children.

    Returns
    -------
    bool
        False if numpy was loaded before, and with it a BLAS that keeps the number it started with.

    Raises
    ------
    CostError
        If `n` is below 1.
    """
    if n < 1:
        raise CostError(f"threads: expected at least 1, got {n}")
    for name in VARIABLES:
        os.environ[name] = str(n)
    return "numpy" not in sys.modules


def threads_in_force() -> dict[str, str]:
    """Return the variables that numeric libraries read, 'unset' where the library decides."""
    return {name: os.environ.get(name, "unset") for name in VARIABLES}
