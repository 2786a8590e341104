"""One look at a series: whether an origin is due, and the best forecast for it."""

import time
from collections.abc import Callable
from dataclasses import replace

from frugal_edge.clock import format_time
from frugal_edge.errors import ForecastError, InputError, InstallError, StoreError
from frugal_edge.gateway import accuracy, by_model, degraded, energy
from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.gateway.installed import Installed
from frugal_edge.gateway.intake import Now
from frugal_edge.gateway.issued import Issued, issued_from
from frugal_edge.gateway.loaded import Loaded
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.stand_in import stand_in, unavailable
from frugal_edge.gateway.stores import Stores, settle
from frugal_edge.gateway.target import Target
from frugal_edge.gateway.when import when
from frugal_edge.origin import latest_origin
from frugal_edge.quality import Quality
from frugal_edge.store.readings import VALUE


class Cycle:
    """The forecasts of a gateway, and what they take."""

    def __init__(
        self,
        config: GatewayConfig,
        stores: Stores,
        installed: Installed,
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._stores = stores
        self._installed = installed
        self._clock = clock
        self._latest: dict[str, Issued] = {}
        self._bodies: dict[str, bytes] = {}

    def look(self, target: Target, *, changed: bool) -> Issued | None:
        """Forecast a series if there is something new.

        That is a new origin, readings or a model that may better a forecast which was not the
        model's on complete inputs, or a model on trial.

        Parameters
        ----------
        target
            The series.
        changed
            Whether readings arrived or a model was opened since the last look.
        """
        series_id = target.series_id
        settle(self._stores, target)
        trusted = self._installed.clock_trusted()
        seen = when(target, self._stores.readings, self._clock(), trusted=trusted)
        now = seen.time if trusted or seen.newest is None else seen.newest + target.step_s
        self._score(target, now)
        origin = self._origin(target, now)
        old = self._issued_at(target, origin)
        on_trial = self._installed.on_trial(series_id)
        if old and not on_trial and not (changed and old.quality is not Quality.MODEL):
            return None
        issued = self._forecast(target, origin, now, on_trial=on_trial)
        if not trusted:
            issued = replace(issued, warnings=(*issued.warnings, _wrong(seen)))
        if old and not _better(issued, old):
            return None
        # with a wrong clock nothing is old for certain
        self._keep(target, issued, seen.newest if trusted else None)
        return issued

    def without_readings(self, target: Target, reason: str) -> Issued | None:
        """Say that there is no forecast, unless there is one: the database cannot be read."""
        now = int(self._clock())
        origin = self._origin(target, now)
        old = self._latest.get(target.series_id)
        if old is not None and old.origin == origin:
            return None
        issued = unavailable(target, origin, now, [reason])
        self._give_out(issued)
        return issued

    def body(self, series_id: str) -> bytes | None:
        """Return the newest forecast of a series as JSON, None before there is one.

        Raises
        ------
        StoreError
            If the database cannot be read.
        """
        body = self._bodies.get(series_id) or self._stores.forecasts.latest(series_id)
        if body is not None:
            self._bodies[series_id] = body
        return body

    def _issued_at(self, target: Target, origin: int) -> Issued | None:
        """Return what was issued for an origin."""
        old = self._latest.get(target.series_id)
        if old is None:
            body = self.body(target.series_id)
            if body is None:
                return None
            old = self._latest[target.series_id] = issued_from(body, target.step_s)
        return old if old.origin == origin else None

    def _origin(self, target: Target, now: int) -> int:
        loaded = self._installed.loaded.get(target.series_id)
        if loaded is not None:
            try:
                return latest_origin(loaded.forecaster.manifest, now)
            except InputError as error:  # the forecast is refused for the same reason, and told
                log("debug", "no_origin", series=target.series_id, reason=str(error))
        return now - (now - target.phase_s) % target.step_s

    def _forecast(self, target: Target, origin: int, now: int, *, on_trial: bool) -> Issued:
        """Forecast with the model, else with what stands in for it, else say that there is none."""
        series_id, installed = target.series_id, self._installed
        try:
            loaded = installed.begin(series_id) if on_trial else installed.loaded.get(series_id)
            reason = installed.broken.get(series_id, "no model is installed")
        except InstallError as error:
            loaded, reason = None, str(error)
        if loaded is not None:
            try:
                return self._modelled(loaded, origin, now, on_trial=on_trial)
            except InputError as error:
                reason = str(error)
                installed.undecided(series_id)
            except ForecastError as error:
                reason = str(error)
                installed.failed(series_id, reason)
                if installed.loaded.get(series_id) not in (None, loaded):  # the one before is back
                    target = installed.targets[series_id]
                    settle(self._stores, target)
                    return self._forecast(target, origin, now, on_trial=False)
        settings = self._config.forecast
        return stand_in(target, self._stores.readings, origin, now, settings, [reason])

    def _modelled(self, loaded: Loaded, origin: int, now: int, *, on_trial: bool) -> Issued:
        stores, stuck_s = self._stores, self._config.forecast.stuck_s
        wall, cpu = time.perf_counter(), time.thread_time()
        found = by_model.forecast(loaded, stores.readings, stores.forecasts, origin, now, stuck_s)
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        series_id = found.issued.series_id
        self._account(series_id, wall, cpu)
        if found.state is not None:
            try:
                stores.forecasts.put_drift(series_id, found.state.as_text())
            except StoreError as error:
                log("error", "store_failed", series=series_id, reason=str(error))
        if on_trial:
            self._installed.passed(series_id, wall)
        return found.issued

    def _keep(self, target: Target, issued: Issued, newest: int | None) -> None:
        """Give a forecast out and store it; forget readings that are long before the newest."""
        series_id, body = target.series_id, self._give_out(issued)
        try:
            with self._stores.database.writing():
                self._stores.forecasts.put(series_id, issued.origin, issued.until, body)
                if newest is not None:
                    oldest = newest - target.history_s - target.horizon_s
                    self._stores.readings.trim(series_id, oldest)
        except StoreError as error:  # it is given out all the same
            log("error", "store_failed", series=series_id, reason=str(error))

    def _give_out(self, issued: Issued) -> bytes:
        series_id, body = issued.series_id, issued.as_json()
        self._latest[series_id], self._bodies[series_id] = issued, body
        quality = issued.quality
        counters = self._stores.counters
        counters.add(
            "forecasts_total",
            series=series_id,
            model=issued.model or "none",
            quality=quality.value,
        )
        if quality is not Quality.UNAVAILABLE:
            counters.set("last_success_timestamp_seconds", self._clock(), series=series_id)
        log(
            "info" if quality is Quality.MODEL else "warning",
            "forecast",
            series=series_id,
            origin=format_time(issued.origin),
            quality=quality.value,
            model=issued.model,
            warnings=list(issued.warnings),
        )
        return body

    def _score(self, target: Target, now: int) -> None:
        """Hold forecasts that are over against what came; the last reading may be a step late."""
        forecasts, series_id = self._stores.forecasts, target.series_id
        try:
            for body in forecasts.over(series_id, now - target.step_s):
                old = issued_from(body, target.step_s)
                model = old.model or "none"
                moved = {}
                if len(old.values) and old.unit == target.unit:
                    table = self._stores.readings.table(series_id, (VALUE,), old.origin, old.until)
                    came = degraded.at_times(table, old.times)
                    moved = accuracy.learn(forecasts.errors(series_id, model), old.values, came)
                forecasts.score(series_id, old.origin, model, moved)
        except StoreError as error:
            log("error", "store_failed", series=series_id, reason=str(error))

    def _account(self, series_id: str, wall: float, cpu: float) -> None:
        counters = self._stores.counters
        counters.add("forecast_duration_seconds_sum", wall, series=series_id)
        counters.add("forecast_duration_seconds_count", 1, series=series_id)
        counters.add("inference_cpu_seconds_total", cpu, series=series_id)
        if self._config.power is not None:
            took = energy.dynamic(self._config.power, cpu)
            energy.book(counters, took, "dynamic")


def _wrong(seen: Now) -> str:
    return (
        f"the gateway's clock is wrong, {format_time(seen.time)} is before its models were built;"
        " the time is that of the readings"
    )


def _better(new: Issued, old: Issued) -> bool:
    """Say whether a forecast is worth more than the one of the same origin before."""
    if new.model != old.model and new.quality.from_model:
        return True
    order = list(Quality)
    return order.index(new.quality) < order.index(old.quality)
