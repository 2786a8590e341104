"""One forecast of an installed model from the readings in the store."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_edge.clock import format_time
from frugal_edge.errors import InputError
from frugal_edge.gateway.issued import Issued
from frugal_edge.gateway.loaded import Loaded
from frugal_edge.gateway.logs import log
from frugal_edge.manifest import Manifest
from frugal_edge.quality import Quality, judge
from frugal_edge.state import State, state_from
from frugal_edge.store.forecasts import Forecasts
from frugal_edge.store.readings import VALUE, Readings
from frugal_edge.table import Table
from frugal_edge.window import Window, cut_window, observations


@dataclass(frozen=True, slots=True)
class Modelled:
    """A forecast, and what its quantiles will learn from."""

    issued: Issued
    state: State | None


def forecast(
    loaded: Loaded, readings: Readings, forecasts: Forecasts, origin: int, now: int, stuck_s: int
) -> Modelled:
    """Forecast from an origin with what was read before it.

    Raises
    ------
    InputError
        If readings are missing beyond the policy of the bundle, or it does not hold for the origin.
    ForecastError
        If the model gives no usable forecast.
    """
    about = loaded.forecaster.manifest
    seen = _window(about, readings, origin)
    state = _state(about, readings, forecasts, origin)
    drift = state.drift.ahead(origin, about.horizon) if state else None
    given = loaded.forecaster.forecast(seen.history, origin, seen.known, seen.past, drift)
    beyond = loaded.forecaster.out_of_bounds(seen.history, seen.known, seen.past)
    quality, warnings = judge(seen.filled_steps, beyond), list(beyond)
    if seen.filled_steps:
        warnings.append(f"{seen.filled_steps} missing readings were filled")
    if stuck := _stuck(about, seen.history, origin, stuck_s):
        quality = Quality.STUCK
        warnings.append(stuck)
    issued = Issued(
        series_id=about.series_id,
        unit=about.unit,
        step_s=about.step_s,
        horizon=about.horizon,
        origin=origin,
        issued_at=now,
        quality=quality,
        model=about.id,
        values=given.point,
        levels=about.quantiles,
        quantiles=given.quantiles,
        warnings=tuple(warnings),
        simulated=about.simulated,
    )
    return Modelled(issued, state.with_forecast(origin, given.quantiles) if state else None)


def _window(about: Manifest, readings: Readings, origin: int) -> Window:
    lookback = about.inputs["known"].lookback if "known" in about.inputs else 0
    back = max(about.history_steps + about.gap_policy.max_gap_steps + 1, lookback)
    columns = (VALUE, *about.columns("past"), *about.columns("known"))
    step = about.step_s
    table = readings.table(
        about.series_id, columns, origin - back * step, origin + about.horizon * step
    )
    if table is None:
        raise InputError(
            f"readings of {about.series_id}: none since {format_time(origin - back * step)}"
        )
    return cut_window(about, origin, table, None)


def _state(about: Manifest, readings: Readings, forecasts: Forecasts, origin: int) -> State | None:
    """Let the quantiles learn from the forecasts that are over, None where they do not drift."""
    if not about.drifts:
        return None
    kept = forecasts.drift(about.series_id)
    where = f"drift of {about.series_id}"
    try:
        state = State.new(about) if kept is None else state_from(kept, where, about)
    except InputError as error:  # the quantiles learn anew, the forecast is as good
        log("error", "drift_lost", series=about.series_id, reason=str(error))
        state = State.new(about)
    if not state.open:
        return state
    table = readings.table(about.series_id, (VALUE,), state.open[0].origin, origin)

    def came(after: int) -> NDArray[np.float64]:
        return observed(about, table, after)

    return state.at(origin, came)


def observed(about: Manifest, table: Table | None, after: int) -> NDArray[np.float64]:
    """Return what came in the horizon after an origin [H], NaN where nothing did."""
    if table is None:
        return np.full(about.horizon, np.nan)
    return observations(about, table, after)


def _stuck(
    about: Manifest, history: NDArray[np.float64] | None, origin: int, stuck_s: int
) -> str | None:
    count = stuck_s // about.step_s
    if history is None or not 1 < count <= len(history):
        return None
    last = history[-count:]
    if last[0] == 0 or (last != last[0]).any():
        return None
    since = format_time(origin - count * about.step_s)
    return f"{about.series_id}: every reading since {since} is {last[0]:g}; is the meter stuck?"
