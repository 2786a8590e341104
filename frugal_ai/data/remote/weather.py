"""What can be asked of Open-Meteo, and in which units it answers."""

import csv
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from frugal_ai.data.source import listed
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.settings import Duration, Settings

Kind = Literal["historical-forecast", "previous-runs"]
"""Forecasts of short lead stitched together, or forecasts of fixed leads of whole days."""

URLS: dict[Kind, str] = {
    "historical-forecast": "https://historical-forecast-api.open-meteo.com/v1",
    "previous-runs": "https://previous-runs-api.open-meteo.com/v1",
}
LEAD_DAYS = "lead_days"
Variable = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
UNITS = {"temperature_unit": "celsius", "wind_speed_unit": "ms", "precipitation_unit": "mm"}
"""Units that are asked for."""

_EXPECTED = {
    "temperature": "°C",
    "dew_point": "°C",
    "apparent_temperature": "°C",
    "relative_humidity": "%",
    "cloud_cover": "%",
    "wind_speed": "m/s",
    "wind_gusts": "m/s",
    "wind_direction": "°",
    "shortwave_radiation": "W/m²",
    "direct_radiation": "W/m²",
    "diffuse_radiation": "W/m²",
    "direct_normal_irradiance": "W/m²",
    "pressure_msl": "hPa",
    "surface_pressure": "hPa",
    "precipitation_probability": "%",
    "precipitation": "mm",
    "rain": "mm",
}  # the first one that a variable's name begins with counts


def folder(kind: Kind) -> str:
    """Name the folder in which forecasts of a kind are kept."""
    return f"open-meteo-{kind}"


def expected_unit(variable: str) -> str | None:
    """Return the unit of a variable; None if it is not known here."""
    found = (u for begin, u in _EXPECTED.items() if f"{variable}_".startswith(f"{begin}_"))
    return next(found, None)


class Place(Settings):
    """A place and its name.

    Attributes
    ----------
    name
        Series of the place.
    latitude, longitude
        North and east are positive [degrees].
    """

    name: Annotated[str, StringConstraints(pattern=r"^[^\s,/\\=][^,/\\=]*$")]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Wanted(Settings):
    """What is asked of Open-Meteo.

    Attributes
    ----------
    places
        Where.
    variables
        Names as Open-Meteo has them, such as ``temperature_2m``.
    lead_days
        Days by which the forecasts lie ahead of their time, 1 to 7; empty for the forecasts of
        short lead that are stitched together.
    publication_delay
        How long after it was begun a run counts as available.
    """

    places: Annotated[tuple[Place, ...], Field(min_length=1)]
    variables: Annotated[tuple[Variable, ...], Field(min_length=1)]
    lead_days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    publication_delay: Duration = timedelta(hours=6)


def wanted(**given: Any) -> Wanted:
    """Check what a user asks for.

    Raises
    ------
    PipelineError
        If a value is not valid, or two places have one name.
    """
    try:
        asked = Wanted.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        key = ".".join(map(str, found["loc"]))
        raise PipelineError(f"open-meteo: {key}: {found['msg']}, got {found['input']!r}") from None
    names = [place.name for place in asked.places]
    for name in names:
        if names.count(name) > 1:
            raise PipelineError(
                f"open-meteo: expected distinct names, got the place {name!r} twice"
            )
    return asked


def read_places(path: Path) -> list[dict[str, str]]:
    """Read places from a CSV file with the columns name, latitude and longitude.

    Raises
    ------
    DataError
        If the file cannot be read or lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "expected UTF-8 text"
        raise DataError(f"{path}: cannot be read: {reason}") from None
    names = tuple(Place.model_fields)
    for row in rows:
        for name in names:
            if not row.get(name):
                raise DataError(f"{path}: expected columns {', '.join(names)}, got {listed(row)}")
    return [{name: row[name].strip() for name in names} for row in rows]


def places_of(
    places: Path | None,
    latitude: Sequence[float],
    longitude: Sequence[float],
    names: Sequence[str],
) -> list[dict[str, Any]]:
    """Put together the places of a file and those that are given one by one.

    Raises
    ------
    DataError
        If the file cannot be read.
    PipelineError
        If there is no place, or coordinates or names are missing.
    """
    found: list[dict[str, Any]] = [] if places is None else list(read_places(places))
    if len(latitude) != len(longitude):
        raise PipelineError(
            f"expected --latitude and --longitude once for each place, got {len(latitude)} and"
            f" {len(longitude)}"
        )
    given = names or ("place",) * (len(latitude) == 1)
    if len(given) != len(latitude):
        raise PipelineError(
            f"expected --name once for each of {len(latitude)} places, got {len(given)}"
        )
    for name, north, east in zip(given, latitude, longitude, strict=True):
        found.append({"name": name, "latitude": north, "longitude": east})
    if not found:
        raise PipelineError("expected --places FILE, or --latitude and --longitude, got neither")
    return found
