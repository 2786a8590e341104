"""What a reader asks for, as parameters of an address."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args
from urllib.parse import urlencode

from frugal_ai.errors import BoardError
from frugal_ai.report import Lead

Metric = Literal["mae", "rmse", "nmae", "mase", "pinball", "crps"]
Scope = Literal["life", "training", "inference"]
Runs = Literal["latest", "all"]
Sort = Literal[
    "energy", "rung", "error", "skill", "pinball", "training", "use", "year", "gain", "bytes",
    "ended",
]  # fmt: skip

PER_PAGE = 25
_MOST = 200  # characters of a value
_BAND = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which models are shown, measured by what, in which order.

    Attributes
    ----------
    pipeline, series, hardware, group
        Names; empty for any. `group` is the short name of circumstances.
    horizon
        How far forecasts reach [s]; 0 for any.
    lead
        Band of lead times that the error is of [s]; None for the whole horizon. Of a band the MAE
        alone is known, whatever `metric` was asked for.
    metric
        Error that models are judged by.
    scope
        Carbon that they are judged by: training with the forecasts that the choice weighs or the
        fleet's life cycle, training alone, a thousand forecasts.
    estimated
        Whether what was estimated, not measured, is shown, too.
    runs
        The latest run of each model, or all.
    intensity
        Stated carbon intensity for all [gCO2e/kWh]; None for that of the latest run.
    sort, descending, page
        Of the table.
    """

    pipeline: str = ""
    series: str = ""
    horizon: int = 0
    lead: Lead | None = None
    hardware: str = ""
    group: str = ""
    metric: Metric = "mae"
    scope: Scope = "life"
    estimated: bool = True
    runs: Runs = "latest"
    intensity: float | None = None
    sort: Sort = "energy"
    descending: bool = False
    page: int = 1

    def __post_init__(self) -> None:
        """Keep the one metric that a band has."""
        if self.lead is not None:
            object.__setattr__(self, "metric", "mae")

    def with_(self, **changes: object) -> "Filters":
        """Return others; whatever changes but the page leads to the first page."""
        return replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # by name

    def query(self, **changes: object) -> str:
        """Write what differs from the defaults as a query, without the question mark."""
        asked, usual = self.with_(**changes), Filters()
        pairs = [
            (one.name, _text(getattr(asked, one.name)))
            for one in fields(self)
            if getattr(asked, one.name) != getattr(usual, one.name)
        ]
        return urlencode(pairs)


def parse(query: Mapping[str, str]) -> Filters:
    """Read a query; a name that is none of these is left alone.

    Raises
    ------
    BoardError
        If a value is none that there is.
    """
    return Filters(
        pipeline=_name(query, "pipeline"),
        series=_name(query, "series"),
        horizon=_count(query, "horizon", 0),
        lead=_lead(query),
        hardware=_name(query, "hardware"),
        group=_name(query, "group"),
        metric=_one_of(query, "metric", get_args(Metric), "mae"),  # type: ignore[arg-type]  # checked
        scope=_one_of(query, "scope", get_args(Scope), "life"),  # type: ignore[arg-type]  # checked
        estimated=_one_of(query, "estimated", ("1", "0"), "1") == "1",
        runs=_one_of(query, "runs", get_args(Runs), "latest"),  # type: ignore[arg-type]  # checked
        intensity=_amount(query, "intensity"),
        sort=_one_of(query, "sort", get_args(Sort), "energy"),  # type: ignore[arg-type]  # checked
        descending=_one_of(query, "descending", ("1", "0"), "0") == "1",
        page=max(1, _count(query, "page", 1)),
    )


def band_text(lead: Lead) -> str:
    """Write a band as an address has it."""
    return f"{lead[0]}-{lead[1]}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return band_text(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _name(query: Mapping[str, str], key: str) -> str:
    text = query.get(key, "")
    if len(text) > _MOST:
        raise BoardError(f"{key}: expected at most {_MOST} characters, got {len(text)}")
    return text


def _one_of(query: Mapping[str, str], key: str, known: tuple[str, ...], usual: str) -> str:
    text = query.get(key, "") or usual
    if text not in known:
        raise BoardError(f"{key}: expected one of {', '.join(known)}, got {text[:_MOST]!r}")
    return text


def _count(query: Mapping[str, str], key: str, usual: int) -> int:
    text = query.get(key, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BoardError(f"{key}: expected a whole number, got {text[:_MOST]!r}")
    return int(text)


def _lead(query: Mapping[str, str]) -> Lead | None:
    text = query.get("lead", "")
    if not text:
        return None
    match = _BAND.fullmatch(text)
    if match is None or int(match[1]) >= int(match[2]):
        raise BoardError(f"lead: expected seconds as 3600-21600, got {text[:_MOST]!r}")
    return int(match[1]), int(match[2])


def _amount(query: Mapping[str, str], key: str) -> float | None:
    text = query.get(key, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 10_000:
        raise BoardError(f"{key}: expected gCO2e/kWh above 0, at most 10000, got {text[:_MOST]!r}")
    return value
