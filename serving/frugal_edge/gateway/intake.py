"""Readings as they arrive: rows of JSON, each checked, and refused with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from frugal_edge.clock import format_time, parse_time
from frugal_edge.errors import InputError
from frugal_edge.gateway.target import Target
from frugal_edge.store.readings import Reading
from frugal_edge.strict_json import shown

_MOST_ROWS = 100_000
_AHEAD_S = 21 * 86400  # weather forecasts reach no farther
_END_YEAR, _END = 2100, 4_102_444_800
_OFF_S = 366 * 86400  # no gateway is off for longer
_MAX_NUMBER = 1.7e308
_KEYS = {"timestamp", "unit"}


@dataclass(frozen=True, slots=True)
class Now:
    """What a reading's time is held against.

    Attributes
    ----------
    time
        Of the gateway's clock [unix s].
    trusted
        Whether that clock can be right; if not, no reading lies in the future.
    newest
        Time of the newest reading that is stored [unix s], None if there is none.
    """

    time: int
    trusted: bool = True
    newest: int | None = None


def rows_of(payload: object) -> tuple[str | None, Sequence[object]]:
    """Take a message apart: one row, a list of rows, or ``observations`` with a common ``unit``.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(payload, dict) and "observations" in payload:
        unknown = sorted(map(str, payload.keys() - {"observations", "unit"}))
        if unknown:
            raise InputError(f"expected observations and unit alone, got {shown(unknown)} too")
        unit, rows = payload.get("unit"), payload["observations"]
        if unit is not None and not isinstance(unit, str):
            raise InputError(f"unit: expected a text, got {shown(unit)}")
    else:
        unit, rows = None, payload if isinstance(payload, list) else [payload]
    if not isinstance(rows, list) or not rows:
        raise InputError(f"observations: expected a list with at least one row, got {shown(rows)}")
    if len(rows) > _MOST_ROWS:
        raise InputError(f"observations: expected at most {_MOST_ROWS} rows, got {len(rows)}")
    return unit, rows


def readings_of(target: Target, row: object, unit: str | None, now: Now) -> list[Reading]:
    """Check a row: ``timestamp``, and the series' value and covariates by name; null takes back.

    Raises
    ------
    InputError
        If the row is not such a one, in another unit, off the grid, in the future, older than what
        matters, or beyond the limits.
    """
    if not isinstance(row, dict):
        raise InputError(f"expected an object with a timestamp, got {shown(row)}")
    given = row.get("unit", unit)
    if given is not None and given != target.unit:
        raise InputError(f"unit: expected {target.unit}, got {shown(given)}")
    names = [name for name in row if name not in _KEYS]
    unknown = sorted(str(name) for name in names if name not in target.columns)
    if unknown or not names:
        raise InputError(
            f"expected columns of {', '.join(target.columns)}, got {shown(unknown or names)}"
        )
    time = _time(target, row.get("timestamp"))
    for name in names:
        _check_time(target, name, time, now)
    return [Reading(name, time, _value(target, name, row[name])) for name in names]


def _time(target: Target, text: object) -> int:
    if not isinstance(text, str):
        raise InputError(f"timestamp: expected an ISO 8601 text, got {shown(text)}")
    try:
        time = parse_time(text)
    except ValueError:
        raise InputError(
            f"timestamp: expected ISO 8601 with an offset or Z, to the second, got {shown(text)}"
        ) from None
    if not 0 <= time < _END:
        raise InputError(f"timestamp: expected one from 1970 to {_END_YEAR}, got {shown(text)}")
    if (time - target.phase_s) % target.step_s:
        raise InputError(
            f"timestamp: expected the start of an interval of {target.step_s} s, got {shown(text)}"
        )
    return time


def _check_time(target: Target, name: str, time: int, now: Now) -> None:
    ahead = target.horizon_s + _AHEAD_S if name in target.known else target.step_s
    if now.trusted and time > now.time + ahead:
        raise InputError(
            f"timestamp: {format_time(time)} is in the future of the gateway's clock,"
            f" {format_time(now.time)}"
        )
    if not now.trusted and now.newest is not None and time > now.newest + _OFF_S:
        raise InputError(
            f"timestamp: {format_time(time)} is more than a year after the last reading, and the"
            " gateway's clock cannot tell, it is wrong"
        )
    if now.newest is not None and time < now.newest - target.history_s:
        raise InputError(
            f"timestamp: {format_time(time)} is older than what is kept, from"
            f" {format_time(now.newest - target.history_s)} on"
        )


def _value(target: Target, name: str, value: object) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= _MAX_NUMBER:  # type: ignore[arg-type]  # a number by now
        raise InputError(f"{name}: expected a finite number or null, got {shown(value)}")
    found = float(value)  # type: ignore[arg-type]  # likewise
    low, high = (target.limits or {}).get(name, (-_MAX_NUMBER, _MAX_NUMBER))
    if not low <= found <= high:
        raise InputError(
            f"{name}: {found:g} is beyond the limits {low:g} to {high:g}; is it in another unit?"
        )
    return found
