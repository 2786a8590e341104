"""The pinball loss by least squares: what to weigh or to fit so that squares lead to a quantile."""

import numpy as np
from numpy.typing import NDArray

MEDIAN = 0.5
FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
_FLOOR = 0.05  # of the median size; a smaller residual weighs no more


def reweighted(residual: FloatArray, level: float) -> FloatArray:
    """Weigh residuals so that the next least squares fit is nearer to a quantile.

    Each weighs its side's share over its size: then the squares' normal equations are those of the
    pinball loss (Koenker and Bassett 1978, Econometrica 46), solved by repetition (Schlossmacher
    1973, Journal of the American Statistical Association 68).

    Parameters
    ----------
    residual
        Observed minus fitted, of any shape, NaN where nothing was observed.
    level
        Of the quantile.

    Returns
    -------
    FloatArray
        Weights with a mean of 1 over what was observed, 0 elsewhere.
    """
    seen = np.isfinite(residual)
    size = np.abs(np.where(seen, residual, 0.0))
    floor = _FLOOR * float(np.median(size[seen])) or _FLOOR * float(size.mean()) or 1.0
    side = np.where(residual > 0, level, 1 - level)
    weight = np.where(seen, side / np.maximum(size, floor), 0.0)
    return np.asarray(weight / weight[seen].mean())


def smoothed_slope(
    residual: Float32Array, level: Float32Array, width: Float32Array
) -> Float32Array:
    """Return the slope of the pinball loss, smoothed over a window around each residual.

    Averaged over residuals up to ``width`` to either side, the step of the slope at zero becomes a
    ramp (Fernandes, Guerre and Horta 2021, Journal of Business & Economic Statistics 39; He, Pan,
    Tan and Zhou 2023, Journal of Econometrics 232).

    Parameters
    ----------
    residual
        Observed minus fitted.
    level
        Of the quantile.
    width
        Half the window, above 0. All three broadcast.

    Returns
    -------
    Float32Array
        Between ``level - 1`` and ``level``.
    """
    ramp = residual / (2 * width) + (level - np.float32(0.5))
    return np.asarray(np.clip(ramp, level - 1, level))
