"""Arrays that the processes share, a file for each, which are read faster than an archive."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_arrays(folder: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a folder."""
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - pathlib is not there yet
    for name, values in arrays.items():
        np.save(_place(folder, name), values, allow_pickle=False)


def first_rows(folder: str | os.PathLike[str], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read the first row of arrays by name, with its axis."""
    return {name: np.load(_place(folder, name))[:1] for name in names}


def _place(folder: str | os.PathLike[str], name: str) -> str:
    return f"{os.fspath(folder)}/{name}.npy"
