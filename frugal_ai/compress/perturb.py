"""Windows that might have been: those that were, with smooth noise on what varies."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.graph import Windows

Float32Array = NDArray[np.float32]
_SMOOTH_S = 6 * 3600  # after it the noise has forgotten 1 - 1/e of itself
_SHIFT_S = 3600  # by which a change of the local clock moves an origin
_FEW = 12  # distinct values; what has fewer is a flag or a tariff, and noise on it means nothing
_LOOKED_AT = 16  # windows that show whether it is one


def perturbed(
    windows: Windows,
    step_s: int,
    amount: float,
    seed: int,
    fixed: tuple[int, ...] = (),
) -> Windows:
    """Add smooth noise to history and covariates, in proportion to their day-to-day spread.

    The spread is that of the same place in windows a day apart, so that a night of PV stays one;
    nothing leaves the range that its place had over all windows. A student that has seen a teacher
    only where the teacher has learnt knows its memory; beside these windows it gets to know the
    function.

    Parameters
    ----------
    windows
        Of one series, in the order of their origins, B of them.
    step_s
        Length of an interval [s].
    amount
        Standard deviation of the noise over that of the spread [1].
    seed
        Of the noise.
    fixed
        Known covariates that stay as they are, such as capacity, by their place.

    Returns
    -------
    Windows
        As many, with the same origins.
    """
    draws = np.random.RandomState(seed)  # its streams are frozen for good (NEP 19)
    days = _a_day_apart(windows.origin)
    phi = float(np.exp(-step_s / _SMOOTH_S))

    def shaken(values: Float32Array) -> Float32Array:
        if not values.size:
            return values
        spread = (values[days[1]] - values[days[0]]).std(axis=0) if len(days[0]) else 0.0
        noise = _smooth(draws.standard_normal(values.shape).astype(np.float32), phi)
        moved = values + np.float32(amount) * spread * noise
        return np.clip(moved, values.min(axis=0), values.max(axis=0)).astype(np.float32)

    def shaken_columns(values: Float32Array, kept: set[int]) -> Float32Array:
        moved = shaken(values)
        some = values[:: max(1, len(values) // _LOOKED_AT)]
        few = [len(np.unique(some[:, :, k])) < _FEW for k in range(values.shape[2])]
        stay = [k for k in range(values.shape[2]) if few[k] or k in kept]
        moved[:, :, stay] = values[:, :, stay]
        return moved

    return replace(
        windows,
        history=shaken(windows.history),
        known=shaken_columns(windows.known, set(fixed)),
        past=shaken_columns(windows.past, set()),
    )


def _a_day_apart(origins: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair each origin with the one a local day later, where there is one."""
    later = np.searchsorted(origins, origins + DAY_S - _SHIFT_S)
    first = np.flatnonzero(later < len(origins))
    later = later[first]
    near = origins[later] - origins[first] <= DAY_S + _SHIFT_S
    return first[near], later[near]


def _smooth(noise: Float32Array, phi: float) -> Float32Array:
    """Turn white noise [B, T, ...] into a first-order autoregressive process of variance 1."""
    fresh = np.float32(np.sqrt(1 - phi**2))
    for t in range(1, noise.shape[1]):
        noise[:, t] = np.float32(phi) * noise[:, t - 1] + fresh * noise[:, t]
    return noise
