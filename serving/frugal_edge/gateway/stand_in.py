"""A forecast without a model: fallback, then persistence, then none, with all reasons."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from frugal_edge.errors import InputError
from frugal_edge.gateway import degraded
from frugal_edge.gateway.config import ForecastSettings
from frugal_edge.gateway.issued import Issued
from frugal_edge.gateway.target import Target
from frugal_edge.quality import Quality
from frugal_edge.store.readings import VALUE, Readings


def stand_in(
    target: Target,
    readings: Readings,
    origin: int,
    now: int,
    settings: ForecastSettings,
    reasons: Sequence[str],
) -> Issued:
    """Forecast as well as it goes without a model.

    Parameters
    ----------
    target, readings
        The series, and what was read.
    origin, now
        Of the forecast, and when it is made [unix s].
    settings
        How far back to look.
    reasons
        Why there is no forecast of the model.
    """
    back = max(settings.seasons * target.season_s, settings.persistence_s + target.step_s)
    since = origin - back - target.horizon_s
    table = readings.table(target.series_id, (VALUE,), since, origin)
    told = list(reasons)
    try:
        values = degraded.seasonal_naive(target, table, origin, settings.seasons)
        quality, model = Quality.FALLBACK, degraded.SEASONAL
    except InputError as error:
        told.append(str(error))
        try:
            values = degraded.persistence(target, table, origin, settings.persistence_s)
            quality, model = Quality.PERSISTENCE, degraded.PERSISTENCE
        except InputError as worse:
            return unavailable(target, origin, now, [*told, str(worse)])
    none = unavailable(target, origin, now, told)
    return replace(none, quality=quality, model=model, values=values)


def unavailable(target: Target, origin: int, now: int, reasons: Sequence[str]) -> Issued:
    """Say that there is no forecast, and why."""
    return Issued(
        series_id=target.series_id,
        unit=target.unit,
        step_s=target.step_s,
        horizon=target.horizon,
        origin=origin,
        issued_at=now,
        quality=Quality.UNAVAILABLE,
        model=None,
        values=np.empty(0, np.float32),
        warnings=tuple(reasons),
        simulated=target.simulated,
    )
