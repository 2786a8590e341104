"""Report by exception: a forecast that says nothing new is not sent."""

import numpy as np

from frugal_edge.gateway.issued import FloatArray, Issued
from frugal_edge.manifest import Range

_WIDENED = 2.0  # a manifest's bounds are the range in training and half of it on either side


def band(share: float, bounds: Range | None, limits: Range | None) -> float | None:
    """Return how far a value must move to be news [unit of the series].

    Parameters
    ----------
    share
        Of the range of the series.
    bounds
        The bounds of the series in its model's manifest.
    limits
        Lowest and highest reading that is stored, for a series without a model.

    Returns
    -------
    float or None
        None if nobody knows the range: then everything is news.
    """
    if bounds is not None:
        return share * (bounds[1] - bounds[0]) / _WIDENED
    if limits is not None and np.isfinite(limits).all():
        return share * (limits[1] - limits[0])
    return None


def is_news(new: Issued, last: Issued | None, least: float | None) -> bool:
    """Say whether a forecast must be sent to who has the last one.

    It must if its quality, model, unit or quantile levels are others, if the last one reaches over
    less than half of the new horizon, or if any value or quantile of an interval that both cover
    moved by more than `least`. So who takes the last one that came has at least half a horizon
    ahead, and no value in it is off by more than `least` from the newest forecast.

    Parameters
    ----------
    new, last
        The forecast, and the one that was sent last, if any.
    least
        See `band`.
    """
    if last is None or least is None or _kind(new) != _kind(last):
        return True
    shift, rest = divmod(new.origin - last.origin, new.step_s)
    if rest or not 0 <= shift <= new.horizon // 2 or new.horizon != last.horizon:
        return True
    return _moved(new.values, last.values, shift, least) or _moved(
        new.quantiles, last.quantiles, shift, least
    )


def _kind(one: Issued) -> tuple[object, ...]:
    return one.quality, one.model, one.unit, one.step_s, one.levels


def _moved(new: FloatArray | None, last: FloatArray | None, shift: int, least: float) -> bool:
    if new is None or last is None:
        return new is not last
    if len(new) != len(last):
        return True
    moves = np.abs(new[: len(new) - shift].astype(np.float64) - last[shift:])  # [H - shift, ...]
    return bool((moves > least).any())
