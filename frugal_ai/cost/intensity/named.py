"""A provider by the text that a user writes: a file, or ``service:place``."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from frugal_ai.cost.factors import Factors
from frugal_ai.cost.intensity import electricity_maps, gsf, watttime
from frugal_ai.cost.intensity.constant import Constant
from frugal_ai.cost.intensity.eco2mix import Eco2mixFile
from frugal_ai.cost.intensity.point import Base, Basis, Kind, Point, Scope
from frugal_ai.cost.intensity.provider import Asks, Provider, token, within
from frugal_ai.errors import CostError

Connect = Callable[[str, Mapping[str, str]], Asks]
"""Makes a client of an address and the headers to send."""

NAMES = ("constant:COUNTRY", "electricity-maps:ZONE", "watttime:REGION", "gsf:LOCATION")


@dataclass(frozen=True)
class AnswerFile:
    """An answer of one of the services, kept in a JSON file."""

    path: Path
    base: Base | None

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Read the file.

        Raises
        ------
        CostError
            If it cannot be read or is an answer of none of the services.
        """
        try:
            answer = json.loads(self.path.read_bytes())
        except (OSError, ValueError) as error:
            raise CostError(f"{self.path}: expected JSON: {error}") from error
        return within(_parsed(answer, self), start, end)


def _parsed(answer: Any, file: AnswerFile) -> tuple[Point, ...]:
    one = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    keys = one.keys() if isinstance(one, dict) else set()
    if "forecastData" in keys:
        return gsf.parse(one, declared_base(file.base, str(file.path)))
    if "data" in keys:
        return watttime.parse(one)
    if keys & {"forecast", "history"}:
        return electricity_maps.parse(one)
    raise CostError(
        f"{file.path}: expected an answer of Electricity Maps, WattTime or the Carbon Aware SDK"
    )


def read_base(text: str | None) -> Base | None:
    """Read ``marginal,direct,production``; None for None.

    Raises
    ------
    CostError
        If a part is missing or not known.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    fits = len(parts) == 3 and all(
        part in get_args(kind) for part, kind in zip(parts, (Kind, Basis, Scope), strict=True)
    )
    if not fits:
        raise CostError(
            "--counts: expected average or marginal, direct or lifecycle, and production or"
            f" consumption, such as marginal,direct,production; got {text!r}"
        )
    kind, basis, scope = parts
    return Base(basis, kind, scope)  # type: ignore[arg-type]  # checked against the literals above


def declared_base(base: Base | None, where: str) -> Base:
    """Return what was declared of figures that do not say it themselves.

    Raises
    ------
    CostError
        If nothing was.
    """
    if base is None:
        raise CostError(
            f"{where}: its figures do not say what they count; say it with --counts, such as"
            " marginal,direct,production"
        )
    return base


def provider(
    text: str, factors: Factors, connect: Connect, url: str | None = None, base: Base | None = None
) -> Provider:
    """Return the provider that a text names.

    Parameters
    ----------
    text
        A file, or one of `NAMES`.
    factors
        For the constant.
    connect
        Makes the client, when a service is named; nothing is asked yet.
    url
        Of the service, instead of its own; has to be given for the SDK, which everybody runs
        themselves.
    base
        What figures count that do not say it.

    Raises
    ------
    CostError
        If the text names nothing, or a token or an address is missing.
    """
    path = Path(text)
    if path.is_file():
        return AnswerFile(path, base) if path.suffix == ".json" else Eco2mixFile(path)
    name, colon, place = text.partition(":")
    if not colon or not place:
        raise CostError(f"--intensity: expected a file or one of {', '.join(NAMES)}, got {text!r}")
    if name == "constant":
        return Constant(place, factors)
    if name == "electricity-maps":
        given = {electricity_maps.HEADER: token(electricity_maps.TOKEN, electricity_maps.NAME)}
        return electricity_maps.ElectricityMaps(place, connect(url or electricity_maps.URL, given))
    if name == "watttime":
        given = {"Authorization": f"Bearer {token(watttime.TOKEN, watttime.NAME)}"}
        return watttime.WattTime(place, connect(url or watttime.URL, given))
    if name == "gsf":
        if url is None:
            raise CostError("--intensity gsf: expected --url, the address of your Carbon Aware SDK")
        return gsf.CarbonAwareSdk(place, connect(url, {}), declared_base(base, text))
    raise CostError(f"--intensity: expected a file or one of {', '.join(NAMES)}, got {text!r}")
