"""Gauges of a gateway, told anew after each cycle."""

from frugal_edge.gateway import degraded
from frugal_edge.gateway.installed import Installed
from frugal_edge.gateway.stores import Stores
from frugal_edge.gateway.target import Target

NAMES = (
    "observation_age_seconds",
    "history_gap_ratio",
    "forecast_error_ratio",
    "bundle_info",
    "clock_trusted",
)


def gauge(stores: Stores, installed: Installed, now: float) -> None:
    """Tell how old and how complete readings are, how far forecasts are off, and what runs.

    Raises
    ------
    StoreError
        If the database cannot be read.
    """
    counters = stores.counters
    for name in NAMES:
        counters.forget(name)
    counters.set("clock_trusted", float(installed.clock_trusted()))
    for series_id, loaded in installed.loaded.items():
        about = loaded.forecaster.manifest
        counters.set("bundle_info", 1, series=series_id, id=about.id, seq=str(about.sequence))
    for target in installed.targets.values():
        _gauge_series(stores, installed, target, now)


def _gauge_series(stores: Stores, installed: Installed, target: Target, now: float) -> None:
    series_id, counters = target.series_id, stores.counters
    newest = stores.readings.newest(series_id, int(now) + target.step_s)
    if newest is None:
        return
    end = newest + target.step_s
    counters.set("observation_age_seconds", now - end, series=series_id)
    steps = max(target.history_s // target.step_s, 1)
    seen, level = stores.readings.level(series_id, end - steps * target.step_s, end)
    counters.set("history_gap_ratio", 1 - seen / steps, series=series_id)
    loaded = installed.loaded.get(series_id)
    model = loaded.forecaster.manifest.id if loaded else degraded.SEASONAL
    errors = stores.forecasts.errors(series_id, model).values()
    if errors and level > 0:
        off = sum(one.error for one in errors) / len(errors)
        counters.set("forecast_error_ratio", off / level, series=series_id)
