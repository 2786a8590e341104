"""Constant arrays in C."""

import textwrap

import numpy as np

from frugal_ai.export.c.scalar import HALF, Array, c_type, literal

_WIDTH = 100


def table(name: str, values: Array) -> str:
    """Define a constant array [n]."""
    dtype = values.dtype
    if dtype == HALF:
        values = values.view(np.uint16)
    numbers = ", ".join(literal(value.item(), values.dtype) for value in values.reshape(-1))
    return f"static const {c_type(dtype)} {name}[{values.size}] = {{\n{wrapped(numbers)}\n}};"


def wrapped(text: str) -> str:
    """Break a list of numbers into lines."""
    return textwrap.fill(
        text, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
