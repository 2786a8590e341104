"""The local clock and the days off of a place, as tables."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from frugal_ai.data.panel import IntArray
from frugal_ai.errors import PipelineError

DAY_S = 86400
WEEK_S = 7 * DAY_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
# offsets are sampled this often; two changes within it that cancel out would be missed (Morocco's
# clock changes for the month of Ramadan lie 28 days apart and more)
_SCAN_S = 7 * DAY_S


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises
    ------
    PipelineError
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a path or a folder's name among them
        raise PipelineError(
            f"timezone: expected an IANA name such as Europe/Paris, got {name!r}"
        ) from None


def utc_offsets(tz: str, start: int, end: int) -> tuple[IntArray, IntArray]:
    """Tabulate the offsets of a local clock from UTC.

    At instant t in [start, end] the offset is ``offsets[searchsorted(transitions, t, "right")]``.

    Parameters
    ----------
    tz
        IANA name of the zone.
    start, end
        First and last instant [unix s] for which the table holds.

    Returns
    -------
    transitions : IntArray
        First instant [unix s] of each new offset within (start, end], [n].
    offsets_s : IntArray
        Offset, local time minus UTC [s], before the first transition and from each one on, [n + 1].

    Raises
    ------
    PipelineError
        If there is no such zone.
    """
    place = zone(tz)
    samples = [*range(start, end, _SCAN_S), max(start, end)]
    transitions: list[int] = []
    offsets = [_offset(place, start)]
    for left, right in itertools.pairwise(samples):
        now = left
        while _offset(place, now) != _offset(place, right):
            now = _first_change(place, now, right)
            transitions.append(now)
            offsets.append(_offset(place, now))
    return np.array(transitions, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _offset(place: ZoneInfo, t: int) -> int:
    """Return local time minus UTC [s] at an instant."""
    offset = (_EPOCH + timedelta(seconds=t)).astimezone(place).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _first_change(place: ZoneInfo, left: int, right: int) -> int:
    """Bisect for the first instant in (left, right] at which the offset is no longer left's."""
    before = _offset(place, left)
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(place, middle) == before:
            left = middle
        else:
            right = middle
    return right


def local_seconds(tz: str, times: IntArray) -> IntArray:
    """Read the local clock at instants.

    Parameters
    ----------
    tz
        IANA name of the zone.
    times
        Instants [unix s], of any shape.

    Returns
    -------
    IntArray
        Local time as seconds since 1970-01-01 00:00 on the same clock, shaped as `times`.
    """
    if not times.size:
        return times.astype(np.int64)
    transitions, offsets = utc_offsets(tz, int(times.min()), int(times.max()))
    local: IntArray = times + offsets[np.searchsorted(transitions, times, side="right")]
    return local


def local_days(tz: str, times: IntArray) -> IntArray:
    """Return the local day of instants [unix s], as days since 1970-01-01."""
    days: IntArray = local_seconds(tz, times) // DAY_S
    return days


@cache
def _dates_off(country: str, subdivision: str | None, years: range) -> tuple[int, ...]:
    import holidays  # heavy: a module for every country

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=years)
    except NotImplementedError as error:  # the package's word for a country it does not know
        name = country if subdivision is None else f"{country}-{subdivision}"
        raise PipelineError(
            "holidays: expected an ISO 3166 code such as FR or FR-57 that the holidays package"
            f" knows, got {name!r}: {str(error).rstrip('.')}"
        ) from None
    return tuple(sorted(day.toordinal() - _EPOCH_DAY for day in found))


def holiday_days(country: str, first_year: int, last_year: int) -> IntArray:
    """List the public holidays of a country or a part of it.

    Parameters
    ----------
    country
        ISO 3166 code, such as ``FR``, or with a subdivision, ``FR-57``.
    first_year, last_year
        Years covered, both included.

    Returns
    -------
    IntArray
        Days since 1970-01-01, ascending.

    Raises
    ------
    PipelineError
        If the country or its subdivision is unknown.
    """
    code, _, subdivision = country.partition("-")
    days = _dates_off(code, subdivision or None, range(first_year, last_year + 1))
    return np.array(days, dtype=np.int64)
