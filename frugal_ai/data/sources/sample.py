"""A simulated feeder with weather, load, PV and wind power; half-hourly, the same for one seed."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from frugal_ai.data.feeder import (
    LOAD_MW,
    PV_MW,
    WIND_MW,
    Site,
    load_power,
    pv_power,
    simulate_weather,
    wind_power,
)
from frugal_ai.data.panel import FloatArray, IntArray, Panel, format_time
from frugal_ai.data.source import Request, listed
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.settings import Settings

_STEP_S = 1800
_AHEAD = 7 * 48  # the weather forecast reaches so many steps beyond the last observation
_DECIMALS = 4  # what lies beyond differs between machines
_CAPACITY = {"feeder_load": LOAD_MW, "feeder_pv": PV_MW, "feeder_wind": WIND_MW}
_WEATHER = ("temperature", "irradiance", "cloud_cover", "wind_speed")
_STATIC = ("capacity_mw", "latitude", "longitude")


class Source(Settings):
    """A feeder that does not exist, on the latitude of Lyon.

    Series: ``feeder_load`` (consumption), ``feeder_pv``, ``feeder_wind`` [MW]. Covariates:
    ``temperature`` [degC], ``irradiance`` [W/m2], ``cloud_cover`` [%], ``wind_speed`` at the height
    of the hubs [m/s]; they are the weather that came, so that as known covariates they stand for a
    perfect forecast, which goes on for a week after the last observation. Static: ``capacity_mw``,
    ``latitude``, ``longitude``.

    Attributes
    ----------
    seed
        Of all that is random.
    first, last
        First day, and the day after the last one (UTC).
    """

    name: Literal["sample"] = "sample"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    first: date = date(2022, 1, 1)
    last: date = date(2024, 7, 1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first >= self.last:
            raise ValueError(f"expected first < last, got first {self.first}, last {self.last}")
        return self

    def load(self, request: Request) -> Panel:
        """Simulate the feeder.

        Raises
        ------
        PipelineError
            If something is asked for that it does not have.
        DataError
            If a series is not there, or the period asked for holds no step.
        """
        series = request.series or tuple(_CAPACITY)
        self._check(request, series)
        times = self._times()
        site = Site()
        weather = simulate_weather(times, _STEP_S, site, self.seed)
        power = {
            "feeder_load": lambda: load_power(times, weather, _STEP_S, site, self.seed),
            "feeder_pv": lambda: pv_power(weather, _STEP_S, self.seed),
            "feeder_wind": lambda: wind_power(weather, _STEP_S, self.seed),
        }
        values = np.stack([power[name]() for name in series])
        values[:, -_AHEAD:] = np.nan
        columns = {name: getattr(weather, name) for name in _WEATHER}
        return self._panel(request, series, times, values, columns)

    def _check(self, request: Request, series: tuple[str, ...]) -> None:
        """Check that what is asked for is there."""
        for name in series:
            if name not in _CAPACITY:
                raise DataError(f"sample: no series {name!r}; there are {listed(_CAPACITY)}")
        for what, names, there in (
            ("known covariate", request.known, _WEATHER),
            ("past covariate", request.past, _WEATHER),
            ("static covariate", request.static, _STATIC),
        ):
            for name in names:
                if name not in there:
                    raise DataError(f"sample: no {what} {name!r}; there are {listed(there)}")
        if request.step_s != _STEP_S:
            raise DataError(f"sample: expected a step of {_STEP_S} s, got {request.step_s} s")
        if request.replacements:
            raise PipelineError(
                f"--data: the source sample reads no file, got {listed(request.replacements)}"
            )

    def _times(self) -> IntArray:
        first, last = (
            int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
            for day in (self.first, self.last)
        )
        return np.arange(first, last + _AHEAD * _STEP_S, _STEP_S, dtype=np.int64)

    def _panel(
        self,
        request: Request,
        series: tuple[str, ...],
        times: IntArray,
        values: FloatArray,
        weather: dict[str, FloatArray],
    ) -> Panel:
        """Cut out the period asked for [S, T]."""
        keep = np.ones(len(times), dtype=bool)
        keep &= times >= (request.since if request.since is not None else times[0])
        keep &= times < (request.until if request.until is not None else times[-1] + 1)
        if not keep[:-_AHEAD].any():
            span = f"{format_time(int(times[0]))} to {format_time(int(times[-_AHEAD - 1]))}"
            raise DataError(f"sample: no step in the period asked for; there are {span}")
        site = Site()
        shape = (len(series), int(keep.sum()))
        static = {"latitude": site.latitude, "longitude": site.longitude}

        def covariates(names: tuple[str, ...]) -> FloatArray:
            table = np.empty((*shape, len(names)))
            for k, name in enumerate(names):
                table[:, :, k] = weather[name][keep].round(_DECIMALS)
            return table

        return Panel(
            series_ids=series,
            start=int(times[keep][0]),
            step_s=_STEP_S,
            values=values[:, keep].round(_DECIMALS),
            known_names=request.known,
            known=covariates(request.known),
            past_names=request.past,
            past=covariates(request.past),
            static_names=request.static,
            static=np.array(
                [
                    [{**static, "capacity_mw": _CAPACITY[one]}[name] for name in request.static]
                    for one in series
                ]
            ).reshape(len(series), len(request.static)),
            simulated=True,
        )
