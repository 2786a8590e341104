"""Numbers of the graph as types and constants of C."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

DType = np.dtype[Any]
Array = NDArray[Any]

FLOAT, DOUBLE, HALF = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.float16)
INT64, INT32, BOOL = np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.bool_)
COMPUTED = (FLOAT, DOUBLE, INT64, INT32)
"""Types that arithmetic is done in; the others are only stored and converted."""

_NAMES = {
    FLOAT: "float",
    DOUBLE: "double",
    HALF: "uint16_t",  # C99 has no such type; the bits are kept
    BOOL: "uint8_t",
}
_SMALL = (np.uint8, np.int8, np.int16, np.int32)
_DIGITS = {FLOAT: 9, DOUBLE: 17}


def c_type(dtype: DType) -> str:
    """Return the type that holds a number of an array, such as ``int16_t`` for int16."""
    if dtype in _NAMES:
        return _NAMES[dtype]
    return f"{dtype.name}_t"


def literal(value: float, dtype: DType) -> str:
    """Write a constant so that it reads back as the same number."""
    if dtype in _DIGITS:
        return _real(float(value), dtype)
    return _integer(int(value), dtype)


def _real(value: float, dtype: DType) -> str:
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    text = f"{value:.{_DIGITS[dtype]}g}"
    for digits in range(1, _DIGITS[dtype]):  # the shortest that will do
        short = f"{value:.{digits}g}"
        with np.errstate(over="ignore"):  # fewer digits may be rounded up to infinity
            same = dtype.type(short) == dtype.type(value)
        if same:
            text = short
            break
    if not set(text) & set(".e"):
        text += ".0"
    return text + ("f" if dtype == FLOAT else "")


def _integer(value: int, dtype: DType) -> str:
    if dtype != INT64:
        return str(value)
    if value == np.iinfo(np.int64).min:
        return f"(-INT64_C({-(value + 1)}) - 1)"
    return f"INT64_C({value})" if abs(value) > np.iinfo(np.int32).max else str(value)


def smallest(values: Array) -> Array:
    """Return whole numbers in the smallest type that holds them all, 8 bits to 64."""
    if values.dtype.kind not in "iu" or not values.size:
        return values
    for candidate in _SMALL:
        limits = np.iinfo(candidate)
        if candidate(0).nbytes >= values.itemsize:
            break
        if limits.min <= values.min() and values.max() <= limits.max:
            return values.astype(candidate)
    return values
