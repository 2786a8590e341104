"""The numbers that go into a graph: shapes and finiteness are checked before it sees them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frugal_edge.errors import InputError
from frugal_edge.manifest import DRIFT, Manifest, Tensor
from frugal_edge.origin import check_origin

FloatArray = NDArray[np.float32]


def check_inputs(
    manifest: Manifest, given: Mapping[str, ArrayLike | None]
) -> dict[str, NDArray[Any]]:
    """Check the inputs of one forecast and bring them to the types of the graph.

    Parameters
    ----------
    manifest
        Of the bundle.
    given
        By name: ``history`` [N], ``origin`` [unix s], ``known`` [L+H, K], ``past`` [N, P],
        ``drift`` [H, Q], which may be None where none is known. What the model does not read may be
        None or absent, and is not looked at.

    Returns
    -------
    dict[str, NDArray]
        What the model reads, with a batch axis of one in front.

    Raises
    ------
    InputError
        If an input is missing, has another shape, or holds NaN, infinity or no numbers.
    """
    checked: dict[str, NDArray[Any]] = {}
    for name, tensor in manifest.inputs.items():
        value = given.get(name)
        if value is None and name == DRIFT:
            checked[name] = np.zeros([size or 1 for size in tensor.shape], np.float32)
            continue  # nothing has arrived yet
        if value is None:
            raise InputError(f"{name}: the model reads it, none was given")
        if name == "origin":
            checked[name] = np.array([check_origin(manifest, value)], dtype=np.int64)
        else:
            checked[name] = finite_array(name, value, tensor)[None]
    return checked


def finite_array(name: str, value: ArrayLike, tensor: Tensor) -> FloatArray:
    """Convert to float32 and check against a tensor of the manifest, the batch axis aside.

    Raises
    ------
    InputError
        If the shape is another or a value is not a finite float32.
    """
    array = _float32(name, value)
    if array.shape != tensor.shape[1:]:
        axes = ", ".join(tensor.axes[1:])
        raise InputError(
            f"{name}: expected shape {list(tensor.shape[1:])} [{axes}], got {list(array.shape)}"
        )
    finite = np.isfinite(array)
    if not finite.all():
        first = [int(i) for i in np.argwhere(~finite)[0]]
        names = tensor.columns or tuple(f"{tensor.axes[-1]} = {k}" for k in range(array.shape[-1]))
        where = f"step {first[0]}" + "".join(f", {names[k]}" for k in first[1:])
        raise InputError(
            f"{name}: expected finite float32 values, got {array[tuple(first)]} at {where}"
            f" ({int((~finite).sum())} in all)"
        )
    return array


def _float32(name: str, value: ArrayLike) -> FloatArray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"{name}: expected rows of equal length") from None
    if array.dtype == np.float32:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name}: expected numbers alone, got {array.dtype.name}")
    with np.errstate(over="ignore"):  # what overflows becomes infinite and is refused as such
        return np.ascontiguousarray(array, dtype=np.float32)
