"""How far a forecast may be trusted, from what went into it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frugal_edge.manifest import Manifest, Range


class Quality(StrEnum):
    """The flag on a forecast; where several hold, the last in this order is given."""

    MODEL = "model"
    """The model, on complete inputs within the range of its training."""
    GAP_FILLED = "gap_filled"
    """The model, on inputs in which gaps within the policy were filled."""
    OUT_OF_BOUNDS = "out_of_bounds"
    """The model, on inputs that go beyond the values of its training."""
    STUCK = "stuck"
    """The model, on readings that have not changed for long."""
    FALLBACK = "fallback"
    """No model: the readings at the same time a season ago."""
    PERSISTENCE = "persistence"
    """No model and no season: the last reading."""
    UNAVAILABLE = "unavailable"
    """No forecast."""

    @property
    def from_model(self) -> bool:
        """Whether it is a forecast of the model."""
        return self not in {Quality.FALLBACK, Quality.PERSISTENCE, Quality.UNAVAILABLE}


def judge(filled_steps: int, out_of_bounds: Iterable[str]) -> Quality:
    """Choose the flag of a forecast."""
    if any(True for _ in out_of_bounds):
        return Quality.OUT_OF_BOUNDS
    return Quality.GAP_FILLED if filled_steps else Quality.MODEL


def out_of_bounds(manifest: Manifest, inputs: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Say which inputs go beyond the values of the training.

    Parameters
    ----------
    manifest
        Of the bundle.
    inputs
        By name: ``history`` [..., N], ``known`` [..., L+H, K], ``past`` [..., N, P].

    Returns
    -------
    tuple[str, ...]
        One sentence for each input or covariate that does.
    """
    bounds = manifest.bounds
    found = []
    if bounds.history is not None and "history" in inputs:
        found.append(_beyond("history", inputs["history"], bounds.history))
    for name, ranges in (("known", bounds.known), ("past", bounds.past)):
        for column, limits in ranges.items() if name in inputs else ():
            values = inputs[name][..., manifest.inputs[name].columns.index(column)]
            found.append(_beyond(column, values, limits))
    return tuple(sentence for sentence in found if sentence)


def _beyond(name: str, values: NDArray[Any], limits: Range) -> str:
    low, high = np.float32(limits[0]), np.float32(limits[1])  # the graph's own precision
    least, most = values.min(), values.max()
    if low <= least and most <= high:
        return ""
    return f"{name}: {least} to {most}, in training {low} to {high}"
