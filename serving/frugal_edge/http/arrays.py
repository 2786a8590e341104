"""Lists of JSON numbers into arrays: every element is a finite number, and rows are even."""

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frugal_edge.errors import InputError
from frugal_edge.strict_json import shown

FloatArray = NDArray[np.float32]


def array_of(name: str, value: object, columns: Sequence[str] = ()) -> FloatArray:
    """Convert a list, rows of lists, or lists by column; too large a number becomes infinite.

    Parameters
    ----------
    name
        Of the input, for messages.
    value
        Parsed JSON.
    columns
        Names in the order of the last axis, where lists by column are allowed.

    Returns
    -------
    NDArray
        float32, with as many axes as the lists were nested, at most two.

    Raises
    ------
    InputError
        If it is nothing of the kind.
    """
    if isinstance(value, dict) and columns:
        return _by_column(name, value, columns)
    if not isinstance(value, list):
        raise InputError(f"{name}: expected a list, got {shown(value)}")
    if value and isinstance(value[0], list):
        return _rows(name, value)
    return _line(name, value)


def _by_column(name: str, value: dict[str, Any], columns: Sequence[str]) -> FloatArray:
    if sorted(value) != sorted(columns):
        raise InputError(f"{name}: expected {', '.join(columns)}, got {', '.join(value) or 'none'}")
    lines = [array_of(f"{name}.{column}", value[column]) for column in columns]
    if any(line.ndim != 1 or len(line) != len(lines[0]) for line in lines):
        raise InputError(f"{name}: expected lists of numbers of equal length")
    return np.stack(lines, axis=1)


def _rows(name: str, rows: list[Any]) -> FloatArray:
    width = len(rows[0])
    for row in rows:
        if type(row) is not list or len(row) != width:
            raise InputError(f"{name}: expected rows of {width} numbers, got {shown(row)}")
    return _line(name, [*chain.from_iterable(rows)]).reshape(len(rows), width)


def _line(name: str, values: list[Any]) -> FloatArray:
    try:
        packed = struct.pack(f"{len(values)}f", *values)
    except (struct.error, OverflowError):
        odd = ((i, one) for i, one in enumerate(values) if type(one) not in {int, float})
        at, one = next(odd, (0, "numbers beyond float64"))
        raise InputError(f"{name}: expected numbers alone, got {shown(one)} at {at}") from None
    return np.frombuffer(packed, np.float32)


def refuse_flags(name: str, value: object) -> None:
    """Refuse true and false among numbers, for which Python would take 1 and 0.

    Raises
    ------
    InputError
        If there is one, however deep.
    """
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, bool):
            raise InputError(f"{name}: expected numbers alone, got {str(one).lower()}")
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
