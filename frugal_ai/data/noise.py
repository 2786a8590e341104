"""Random processes of a simulation that are the same on every machine and for every length."""

import itertools

import numpy as np

from frugal_ai.data.panel import FloatArray


def white(seed: int, stream: int, length: int) -> FloatArray:
    """Draw standard normal noise [length]; a longer draw begins with the shorter one."""
    # RandomState's streams are frozen for good (NEP 19), those of Generator are not
    state = np.random.RandomState([seed, stream])
    return state.standard_normal(length)


def autoregressive(seed: int, stream: int, length: int, steps: float) -> FloatArray:
    """Simulate a first-order autoregressive process of mean 0 and variance 1.

    Parameters
    ----------
    seed, stream
        Which draw.
    length
        Number of values.
    steps
        Time after which the correlation has fallen to 1/e [steps].
    """
    noise = white(seed, stream, length)
    phi = float(np.exp(-1.0 / steps))
    noise[1:] *= np.sqrt(1.0 - phi**2)
    return smooth_sum(noise, phi)


def smooth_sum(values: FloatArray, phi: float) -> FloatArray:
    """Compute y[i] = phi y[i-1] + values[i], y[0] = values[0]."""
    return np.array(list(itertools.accumulate(values.tolist(), lambda y, x: phi * y + x)))


def lagged(values: FloatArray, steps: float) -> FloatArray:
    """Smooth exponentially with a time constant [steps], as heat passes through a wall."""
    phi = float(np.exp(-1.0 / steps))
    scaled = values * (1.0 - phi)
    scaled[0] = values[0]
    return smooth_sum(scaled, phi)


def uniform(normal: FloatArray) -> FloatArray:
    """Map standard normal values to (0, 1) by the normal distribution function.

    Approximation of Page (1977), absolute error < 2e-4, which needs numpy only.
    """
    level: FloatArray = 0.5 * (
        1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (normal + 0.044715 * normal**3))
    )
    return level
