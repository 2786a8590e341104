"""What a compressed model must keep, and how small and fast it must be."""

import re
from typing import Annotated, Any

from annotated_types import Gt, Le
from pydantic import BeforeValidator

from frugal_ai.settings import Settings

_SIZES = {"B": 1, "kB": 1000, "MB": 1_000_000}
_TIMES = {"us": 1.0, "ms": 1000.0}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)")


def _measured(units: dict[str, Any], like: str, value: Any) -> Any:
    """Turn a text such as 64kB into a number of the smallest unit; numbers stay as they are."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in units:
        raise ValueError(f"expected {like}, got {value!r}")
    return float(match[1]) * units[match[2]]


def _bytes(value: Any) -> Any:
    return _measured(_SIZES, "a size such as 64kB or 1MB", value)


def _microseconds(value: Any) -> Any:
    return _measured(_TIMES, "a time such as 100us or 1ms", value)


Bytes = Annotated[float, BeforeValidator(_bytes), Gt(0)]
Microseconds = Annotated[float, BeforeValidator(_microseconds), Gt(0)]


class Compression(Settings):
    """When a smaller model may take the place of the chosen one.

    Attributes
    ----------
    keep
        Share of the chosen model's skill that the median series keeps [1].
    keep_each
        Share that every series keeps [1].
    max_bytes
        Of the graph of one series [bytes].
    max_latency
        Of one forecast, warm, on the machine of the run [us].
    max_rss
        Peak memory of a process that forecasts once [bytes].
    strict
        Whether to refuse where nothing passes, instead of shipping the chosen model as it is.
    """

    keep: Annotated[float, Gt(0), Le(1)] = 0.99
    keep_each: Annotated[float, Gt(0), Le(1)] = 0.97
    max_bytes: Bytes | None = None
    max_latency: Microseconds | None = None
    max_rss: Bytes | None = None
    strict: bool = False
