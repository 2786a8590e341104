"""Weather forecasts of the past by Open-Meteo: as stitched together, or with their lead times."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import polars as pl

from frugal_ai.data.parse import with_numbers
from frugal_ai.data.remote.fetch import Answer
from frugal_ai.data.remote.http import Client
from frugal_ai.data.remote.months import Month
from frugal_ai.data.remote.weather import (
    LEAD_DAYS,
    UNITS,
    Kind,
    Place,
    Wanted,
    expected_unit,
    folder,
)
from frugal_ai.data.rows import AVAILABLE, SERIES, TIME
from frugal_ai.data.source import listed
from frugal_ai.data.table import from_frame
from frugal_ai.errors import DataError

_SETTLED_AFTER = timedelta(days=2)  # by then no hour of a month is still a forecast


@dataclass(frozen=True)
class OpenMeteo:
    """Forecasts of several places and variables, for months of the past."""

    wanted: Wanted
    service: str = "Open-Meteo"
    attribution: str = "Weather data by Open-Meteo.com, CC BY 4.0"

    @property
    def kind(self) -> Kind:
        """Name of the API."""
        return "previous-runs" if self.wanted.lead_days else "historical-forecast"

    @property
    def dataset(self) -> str:
        """Name of the folder."""
        return folder(self.kind)

    def asked(self) -> dict[str, Any]:
        """Say what is wanted, in plain JSON."""
        unused = set() if self.wanted.lead_days else {"lead_days", "publication_delay"}
        asked = self.wanted.model_dump(mode="json", exclude=unused)
        asked["places"].sort(key=itemgetter("name"))
        return {k: sorted(v) if k in ("variables", "lead_days") else v for k, v in asked.items()}

    def with_also(self, asked: Mapping[str, Any]) -> "OpenMeteo":
        """Return an endpoint that wants also the places and variables that were asked for before.

        Raises
        ------
        DataError
            If a place of one name has moved.
        """
        before = Wanted.model_validate(asked)
        places = {place.name: place for place in before.places}
        for place in self.wanted.places:
            known = places.setdefault(place.name, place)
            if known != place:
                raise DataError(
                    f"{self.dataset}: {place.name}: expected the place {known.latitude:g},"
                    f" {known.longitude:g} that was fetched before, got {place.latitude:g},"
                    f" {place.longitude:g}; give it another name or another folder (--out)"
                )
        return replace(
            self,
            wanted=self.wanted.model_copy(
                update={
                    "places": tuple(places[name] for name in sorted(places)),
                    "variables": tuple(sorted({*before.variables, *self.wanted.variables})),
                    "lead_days": tuple(sorted({*before.lead_days, *self.wanted.lead_days})),
                }
            ),
        )

    def ask(self, client: Client, month: Month, now: datetime) -> Answer:
        """Ask for a month of all places at once, up to today."""
        last = min(month.last_day, now.astimezone(UTC).date())
        places, leads = self.wanted.places, self.wanted.lead_days
        names = [_asked_name(v, lead) for v in self.wanted.variables for lead in leads or (0,)]
        params = {
            "latitude": ",".join(f"{place.latitude:g}" for place in places),
            "longitude": ",".join(f"{place.longitude:g}" for place in places),
            "hourly": ",".join(names),
            "start_date": f"{month.start:%Y-%m-%d}",
            "end_date": f"{last:%Y-%m-%d}",
            "timeformat": "unixtime",
            "timezone": "GMT",
            **UNITS,
        }
        answer, url = client.get_json("forecast", params)
        found = answer if isinstance(answer, list) else [answer]
        if len(found) != len(places):
            raise DataError(
                f"{self.dataset}: expected an answer for each of {len(places)} places, got"
                f" {len(found)}"
            )
        units: dict[str, str] = {}
        frames = []
        for place, one in zip(places, found, strict=True):
            hourly, stated = _hourly(one, names, f"{self.dataset} {place.name}")
            units |= stated
            frames.append(self._long(hourly, place))
        frame = pl.concat(frames).filter(
            pl.col(TIME).is_between(month.start, month.end, closed="left"),
            pl.any_horizontal(pl.col(*self.wanted.variables).is_not_nan()),
        )
        return Answer(
            frame=frame.sort(SERIES, TIME, *([LEAD_DAYS] if leads else [])),
            urls=(url,),
            settled=now >= month.end + _SETTLED_AFTER,
            units=units,
            blank=tuple(v for v in self.wanted.variables if frame[v].is_nan().all()),
        )

    def _long(self, hourly: pl.DataFrame, place: Place) -> pl.DataFrame:
        """Bring the columns of a place into rows, one for each time and lead."""
        head = [pl.lit(place.name).alias(SERIES), pl.col(TIME)]
        if not self.wanted.lead_days:
            return hourly.select(*head, *self.wanted.variables)
        return pl.concat(
            [
                hourly.select(
                    *head,
                    self._available_at(lead).alias(AVAILABLE),
                    pl.lit(lead, dtype=pl.Int64).alias(LEAD_DAYS),
                    *(pl.col(_asked_name(v, lead)).alias(v) for v in self.wanted.variables),
                )
                for lead in self.wanted.lead_days
            ]
        )

    def _available_at(self, lead: int) -> pl.Expr:
        """Return when the value of a lead [d] was certainly available.

        Open-Meteo gives the value "that was predicted 24 hours before valid time": of the newest
        run that had begun by then. It was published when the run had been computed.
        """
        return pl.col(TIME) - timedelta(days=lead) + self.wanted.publication_delay


def _asked_name(variable: str, lead: int) -> str:
    return f"{variable}_previous_day{lead}" if lead else variable


def _hourly(one: Any, names: list[str], where: str) -> tuple[pl.DataFrame, dict[str, str]]:
    """Check the answer for a place: one number or null for each hour, in the units asked for."""
    hourly = one.get("hourly") if isinstance(one, dict) else None
    units = one.get("hourly_units") if isinstance(one, dict) else None
    if not isinstance(hourly, dict) or not isinstance(units, dict):
        raise DataError(f"{where}: expected hourly and hourly_units, got {str(one)[:100]}")
    for name in ("time", *names):
        if not isinstance(hourly.get(name), list):
            raise DataError(f"{where}: expected a column {name!r}, got {listed(hourly, 30)}")
        if len(hourly[name]) != len(hourly["time"]):
            raise DataError(
                f"{where}: {name}: expected {len(hourly['time'])} values, got {len(hourly[name])}"
            )
    if units.get("time") != "unixtime" or not all(isinstance(t, int) for t in hourly["time"]):
        raise DataError(
            f"{where}: time: expected unixtime, got {units.get('time')!r}: {hourly['time'][:1]}"
        )
    stated = {}
    for name in names:
        variable = name.partition("_previous_day")[0]
        unit = expected_unit(variable)
        stated[variable] = str(units.get(name))
        if unit is not None and units.get(name) != unit:
            raise DataError(f"{where}: {name}: expected the unit {unit}, got {units.get(name)!r}")
    columns = {
        name: pl.Series(hourly[name], dtype=pl.Float64)
        if all(v is None or isinstance(v, int | float) for v in hourly[name])
        else pl.Series([None if v is None else str(v) for v in hourly[name]])
        for name in names
    }
    times = pl.Series(hourly["time"], dtype=pl.Int64)
    if not len(times):
        return _no_hours(names), stated
    table = with_numbers(from_frame(pl.DataFrame(columns), where), names)
    at = pl.from_epoch(times, time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return table.frame.with_columns(at.alias(TIME)), stated


def _no_hours(names: list[str]) -> pl.DataFrame:
    numbers = dict.fromkeys(names, pl.Float64())
    return pl.DataFrame(schema={TIME: pl.Datetime("us", "UTC"), **numbers})
