"""The pinball loss by least squares: weights under which squares lead to a quantile."""

import numpy as np
from numpy.typing import NDArray

MEDIAN = 0.5
FloatArray = NDArray[np.float64]
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
