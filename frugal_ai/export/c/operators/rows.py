"""Rows of a product that are the same: in every column, or each as the one before.

What stood at the origin is the same at every step, and so are the weights of all steps of a mean.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from frugal_ai.export.c.tensor import (
    Constant,
    Joined,
    Map,
    Reduced,
    Tensor,
    View,
    constant,
    flat,
    mapped,
    sliced,
)

_LEAST = 8  # rows that one stands for, on average


@dataclass(frozen=True)
class Rows:
    """Some rows [..., n, C] of a tensor, and which of its rows they are."""

    values: Tensor
    places: Sequence[int]


def parts_of_rows(tensor: Tensor) -> tuple[Rows, Rows] | None:
    """Split rows that are put together, or these less a constant, by whether they are repeated.

    Parameters
    ----------
    tensor
        [..., R, C]

    Returns
    -------
    tuple[Rows, Rows] | None
        Those that differ from column to column, and one column of the others [..., n, 1]; None
        where there are not both.
    """
    less: Constant | None = None
    if isinstance(tensor, Map) and tensor.function == "sub":
        less = _column(tensor.operands[1])
        if less is None:
            return None
        tensor = tensor.operands[0]
    rank = len(tensor.shape)
    if not isinstance(tensor, Joined) or tensor.axis != rank - 2 or tensor.shape[-1] == 1:
        return None
    kept: list[Rows] = []
    repeated: list[Rows] = []
    start = 0
    for part in tensor.parts:
        places = range(start, start + part.shape[-2])
        once = _once(part)
        (kept if once is None else repeated).append(Rows(part if once is None else once, places))
        start += part.shape[-2]
    if not kept or not repeated:
        return None
    return _together(kept, less), _together(repeated, less)


def _together(rows: Sequence[Rows], less: Constant | None) -> Rows:
    places = [place for one in rows for place in one.places]
    values = rows[0].values
    if len(rows) > 1:
        *batch, _, columns = values.shape
        shape = (*batch, len(places), columns)
        values = Joined(values.dtype, shape, tuple(one.values for one in rows), len(shape) - 2)
    if less is None:
        return Rows(values, places)
    taken = constant(less.values.reshape(-1, 1)[places])
    return Rows(mapped("sub", values.dtype, values, taken), places)


def _column(tensor: Tensor) -> Constant | None:
    """Return constant numbers, one for each row, that are repeated in every column."""
    source = tensor.source if isinstance(tensor, View) and not tensor.lookups else tensor
    fits = isinstance(source, Constant) and source.shape[-1:] == (1,)
    wide = fits and source.size == tensor.shape[-2] == source.shape[-2]
    return source if wide and isinstance(source, Constant) else None


def _once(tensor: Tensor) -> Tensor | None:
    """Return one column of rows that are the same in every column."""
    if not isinstance(tensor, View) or tensor.lookups:
        return None
    source, rank = tensor.source, len(tensor.shape)
    missing = rank - len(source.shape)
    shape = (1,) * missing + source.shape
    plain = shape == (*tensor.shape[:-1], 1) and not any(
        axis == rank - 1 for place in tensor.places for axis, _ in place.factors
    )
    return source if plain and not missing else None


def summed(left: Tensor, right: Constant) -> tuple[Tensor, Constant]:
    """Add up columns of the left side whose weights are the same, if most are.

    Parameters
    ----------
    left, right
        Of a product, [..., M, K] and [K, N].

    Returns
    -------
    tuple[Tensor, Constant]
        Sides of the same product, with fewer to multiply.
    """
    weights = right.values
    starts = np.flatnonzero(np.r_[True, (weights[1:] != weights[:-1]).any(axis=1)])
    if len(starts) * _LEAST > len(weights):
        return left, right
    axis = len(left.shape) - 1
    parts = []
    for start, end in itertools.pairwise([*starts.tolist(), len(weights)]):
        run = sliced(left, axis, start, end - start)
        one = (*left.shape[:-1], 1)
        if end - start > 1:
            run = flat(Reduced(left.dtype, left.shape[:-1], run, (axis,), "add"), one)
        parts.append(run)
    shape = (*left.shape[:-1], len(parts))
    return Joined(left.dtype, shape, tuple(parts), axis), constant(weights[starts])
