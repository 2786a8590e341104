"""Histories as a request sends them: arrays of the model's shape, small gaps filled."""

from pathlib import Path
from typing import Any

import numpy as np

from frugal_edge.errors import InputError
from frugal_edge.http.arrays import FloatArray, array_of
from frugal_edge.manifest import Manifest
from frugal_edge.table import Table
from frugal_edge.window import observed_before

_VALUE = "value"
_HERE = Path("body")


def sent(
    about: Manifest, origin: int, name: str, value: object, *, gaps: bool = False
) -> tuple[FloatArray | None, int]:
    """Convert an input, and fill what is null in it by the policy of the bundle.

    Parameters
    ----------
    about, origin
        Of the model, and the start of the forecast [unix s].
    name, value
        Of the input, and what the JSON holds for it.
    gaps
        Whether there may be null in it, which stands for a missing reading.

    Returns
    -------
    tuple
        None if it was not sent, else the array; and how many missing readings were filled.

    Raises
    ------
    InputError
        If it is not what the model reads, or a gap is longer than may be filled.
    """
    if value is None:
        return None, 0
    if name not in about.inputs:
        raise InputError(f"{name}: the model {about.id} does not read it")
    if gaps:
        value = _nan_for_null(value)
    array = array_of(name, value, about.columns(name))
    fits = array.shape == about.inputs[name].shape[1:]
    missing = gaps and fits and np.isnan(array).any()
    if not missing or np.isinf(array).any():  # what is infinite is refused, not filled
        return array, 0
    columns = about.columns(name) or (_VALUE,)
    times = origin + about.step_s * np.arange(-len(array), 0)
    by_name = dict(zip(columns, array.reshape(len(array), -1).T.astype(np.float64), strict=True))
    table = Table(_HERE, times, by_name)
    found = [observed_before(about, origin, table, column) for column in columns]
    filled = np.stack([values for values, _ in found], axis=1).astype(np.float32)
    return filled.reshape(array.shape), sum(count for _, count in found)


def _nan_for_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nan_for_null(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_nan_for_null(one) if isinstance(one, list) else _number(one) for one in value]
    return value


def _number(value: object) -> object:
    return float("nan") if value is None else value
