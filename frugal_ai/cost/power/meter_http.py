"""A plug or meter at the wall that answers over HTTP, as those of Shelly and Tasmota do.

Its power is sampled. Energy counters of such plugs step by the watt-hour or by the minute, too
coarse for a run.
"""

import json
import math
from typing import Any

from frugal_ai.cost.power.sampled import Sampled
from frugal_ai.errors import CostError

KNOWN = (
    "apower",
    "power",
    "StatusSNS.ENERGY.Power",
    "ENERGY.Power",
    "total_power",
    "meters.0.power",
)
"""Where Shelly (generation 2 and 1), Tasmota and Shelly EM have the watts."""

_TIMEOUT_S = 2.0
_MOST_BYTES = 65_536


def power_in(answer: Any, field: str | None = None) -> float:
    """Return the power in an answer [W].

    Parameters
    ----------
    answer
        Parsed JSON.
    field
        Where the watts are, names and indices joined by dots; by default where known makes have
        them.

    Raises
    ------
    CostError
        If it is not there or not a number.
    """
    for path in (field,) if field else KNOWN:
        found = _at(answer, path)
        if found is None:
            continue
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise CostError(f"http meter: {path}: expected watts, got {found!r}")
        return float(found) if math.isfinite(found) else math.nan
    raise CostError(
        f"http meter: expected watts at {field or ' or '.join(KNOWN)}, got {str(answer)[:80]}"
    )


def ask(url: str, field: str | None = None) -> float:
    """Ask the meter once [W].

    Raises
    ------
    CostError
        If it does not answer in time, or not with watts.
    """
    import httpx

    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_S, trust_env=False) as response:
            if response.status_code != httpx.codes.OK:
                raise CostError(f"http meter: {url}: expected 200, got {response.status_code}")
            content = b""
            for part in response.iter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    raise CostError(f"http meter: {url}: expected at most {_MOST_BYTES} bytes")
        answer = json.loads(content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CostError(f"http meter: {url}: {str(error) or type(error).__name__}") from error
    except ValueError as error:
        raise CostError(f"http meter: {url}: expected JSON: {error}") from error
    return power_in(answer, field)


def open_http(url: str, field: str | None = None) -> Sampled:
    """Sample a meter; it is asked at no other address, and no redirection is followed.

    Raises
    ------
    CostError
        If it does not answer.
    """
    return Sampled(lambda: ask(url, field), "wall")


def _at(answer: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(part)
        elif isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return None
    return answer
