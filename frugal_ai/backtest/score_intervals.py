"""How sure every error of a score is: intervals over the same resampled origins as the MAE's.

Each error is a mean over series of what a series comes to, and a resample draws origins, as
`compare` does it. A root mean square is the root of each series' mean of squares.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from frugal_ai.backtest.compare import Interval, Resamples, mean_intervals, root_mean_interval
from frugal_ai.backtest.metrics import FloatArray, OriginErrors, deviations, mean_over
from frugal_ai.backtest.probabilistic import crps_weights


def error_intervals(
    forecast: FloatArray,
    actual: FloatArray,
    denominator: FloatArray,
    scale: FloatArray,
    resamples: Resamples,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Return intervals of ``rmse``, ``nmae`` and ``mase``; their values are those of `score`.

    Parameters
    ----------
    forecast, actual
        [S, O, H] [unit of the target].
    denominator, scale
        Of each series [S] [unit of the target], those of nMAE and MASE.
    resamples, level
        Of the O origins, and of the intervals [1].

    Raises
    ------
    DataError
        As `metrics.deviations`, and when the resamples are of another number of origins.
    """
    error = deviations(forecast, actual)
    count = np.sum(~np.isnan(error), axis=2)  # [S, O]
    mean = mean_over(np.abs(error), axis=2)
    relative = [OriginErrors(mean / one[:, None], count) for one in (denominator, scale)]
    nmae, mase = mean_intervals(relative, resamples, level)
    squares = OriginErrors(mean_over(error**2, axis=2), count)
    return {"rmse": root_mean_interval(squares, resamples, level), "nmae": nmae, "mase": mase}


def quantile_intervals(
    quantiles: FloatArray,
    actual: FloatArray,
    levels: Sequence[float],
    resamples: Resamples,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Return intervals of ``pinball`` and ``crps``; their values are those of `score_quantiles`.

    Parameters
    ----------
    quantiles
        [S, O, H, Q] [unit of the target].
    actual
        [S, O, H] [unit of the target].
    levels
        Q of them, ascending.
    resamples, level
        Of the O origins, and of the intervals [1].

    Raises
    ------
    DataError
        As `metrics.deviations`, and when the resamples are of another number of origins.
    """
    count = np.sum(~np.isnan(actual), axis=2)  # [S, O]
    by_level = np.stack(
        [_losses(quantiles[..., q], actual, one) for q, one in enumerate(levels)], axis=-1
    )  # [S, O, Q]
    weights: Mapping[str, FloatArray] = {
        "pinball": np.full(len(levels), 1 / len(levels)),
        "crps": 2 * crps_weights(levels),
    }
    errors = [OriginErrors(by_level @ one, count) for one in weights.values()]
    return dict(zip(weights, mean_intervals(errors, resamples, level), strict=True))


def _losses(quantile: FloatArray, actual: FloatArray, level: float) -> FloatArray:
    """Mean pinball loss of each origin [S, O] [unit of the target]."""
    over = -deviations(quantile, actual)
    return mean_over(np.maximum(level * over, (level - 1) * over), axis=2)
