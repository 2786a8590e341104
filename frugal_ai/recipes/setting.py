"""What a default recipe goes by: covariates by quantity, step, horizon, length of the history."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from frugal_ai.features.blocks.sun import Place
from frugal_ai.settings import format_duration

Quantity = Literal[
    "temperature", "wind_speed", "wind_u", "wind_v", "irradiance", "cloud_cover", "humidity",
    "pressure", "cloud_water",
]  # fmt: skip
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

# names as weather services and competitions have them; a pipeline may say it itself
_PATTERNS: Mapping[Quantity, str] = {
    "temperature": r"t2m.*|2t|temp.*",
    "wind_speed": r"ws_?\d*m?|wind_?speed.*|wind_mean",
    "wind_u": r"u_?\d+m?|\d+u",
    "wind_v": r"v_?\d+m?|\d+v",
    "irradiance": r"ghi.*|ssrd.*|shortwave.*|.*irradiance.*|global_radiation.*",
    "cloud_water": r"tclw|tciw|.*cloud_(liquid_)?(water|ice).*",
    "cloud_cover": r"tcc|cloud.*",
    "humidity": r"rh?|rh_.*|relative_humidity.*|humidity.*",
    "pressure": r"sp|pressure.*|surface_pressure.*|.*_hpa",
}

Blocks = list[dict[str, Any]]


def quantity_of(name: str) -> Quantity | None:
    """Guess what a covariate is from its name; None where the name says nothing."""
    for quantity, pattern in _PATTERNS.items():
        if re.fullmatch(pattern, name.lower()):
            return quantity
    return None


@dataclass(frozen=True)
class Setting:
    """What a default recipe may use.

    Attributes
    ----------
    known
        Known covariates of the weather, in the order of the pipeline; within a quantity the first
        one is the main one.
    quantities
        What they are; one that is not in here is used as it is.
    places
        Where the sun is to be computed; None where that is unknown.
    static
        Static covariates that tell the series of a panel apart.
    holidays
        Whether a country's holidays are known.
    step, horizon
        Of the forecast.
    history
        From the start of training to the first test origin.
    daylight
        Whether the sun may be up at an origin, so that a plant's last value says something.
    past
        Covariates that are observed up to the origin.
    """

    known: tuple[str, ...]
    quantities: Mapping[str, Quantity]
    places: tuple[Place, ...] | Literal["static"] | None
    static: tuple[str, ...]
    holidays: bool
    step: timedelta
    horizon: timedelta
    history: timedelta
    daylight: bool = True
    past: tuple[str, ...] = ()

    def of(self, *quantities: Quantity) -> list[str]:
        """List the known covariates of some quantities, the main one of each first."""
        return [
            name for one in quantities for name in self.known if self.quantities.get(name) == one
        ]

    def mains(self, *quantities: Quantity) -> list[str]:
        """List the main covariate of each quantity that there is."""
        return [names[0] for one in quantities if (names := self.of(one))]

    def longer_than(self, days: int) -> bool:
        """Say whether the history holds more than so many days."""
        return self.history > timedelta(days=days)

    def durations(self, *texts: str) -> list[str]:
        """Keep the durations that are whole steps."""
        units = {"h": 3600, "d": 86400}
        return [text for text in texts if not int(text[:-1]) * units[text[-1]] % self.step_s]

    @property
    def step_s(self) -> int:
        """Length of an interval [s]."""
        return int(self.step.total_seconds())

    @property
    def step_text(self) -> str:
        """The step as pipelines write it."""
        return format_duration(self.step)

    @property
    def sun(self) -> dict[str, Any]:
        """The setting of the blocks that compute the sun."""
        if self.places == "static":
            return {"places": "static"}
        return {"places": [place.model_dump() for place in self.places or ()]}


def known(names: list[str], **how: Any) -> Blocks:
    """Write a block of known covariates, none where there are no names."""
    return [{"feature": "known", "names": names, **how}] if names else []


def spline(names: list[str], pieces: int, **how: Any) -> Blocks:
    """Write a spline of known covariates with as many knots as data fill."""
    return [{"feature": "spline", "of": block, "pieces": pieces} for block in known(names, **how)]


def product(of: Blocks, by: Blocks) -> Blocks:
    """Write the products of some blocks with others."""
    return [{"feature": "product", "of": left, "by": right} for left in of for right in by]


def days(count: int) -> str:
    """Write a number of days."""
    return format_duration(timedelta(days=count))
