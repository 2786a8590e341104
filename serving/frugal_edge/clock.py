"""Times: Unix seconds inside, ISO 8601 with an offset at the edges."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from frugal_edge.errors import BundleError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})(s|min|h|d)")


def parse_time(text: str) -> int:
    """Read an ISO 8601 time that says its offset from UTC.

    Returns
    -------
    int
        Unix time [s].

    Raises
    ------
    ValueError
        If the text is no such time, has no offset, or falls between two seconds.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected an ISO 8601 time, got {text!r}") from None
    if time.tzinfo is None:
        raise ValueError(f"expected an offset from UTC or Z at the end of {text!r}")
    seconds, rest = divmod(time - _EPOCH, _SECOND)
    if rest:
        raise ValueError(f"expected a whole second, got {text!r}")
    return seconds


def format_time(time: int) -> str:
    """Write a Unix time [s] as ISO 8601 in UTC, or as a number where no calendar reaches."""
    try:
        return (_EPOCH + timedelta(seconds=time)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return f"{time} s after 1970"


def parse_duration(text: str) -> int:
    """Read a duration such as ``30s``, ``15min``, ``6h`` or ``1d``.

    Returns
    -------
    int
        Seconds, at least 1.

    Raises
    ------
    ValueError
        If the text is no such duration.
    """
    found = _DURATION.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError(f"expected a duration such as 30s, 15min, 6h or 1d, got {text!r}")
    return int(found[1]) * _UNITS[found[2]]


def iso_duration(seconds: int) -> str:
    """Write a duration [s] as ISO 8601 has it, in its largest whole unit up to days."""
    for unit, size in (("D", 86400), ("H", 3600), ("M", 60)):
        if seconds and not seconds % size:
            return f"P{'' if unit == 'D' else 'T'}{seconds // size}{unit}"
    return f"PT{seconds}S"


def find_zone(name: str) -> tzinfo:
    """Find a time zone in the database of this machine.

    Raises
    ------
    BundleError
        If the database is absent or does not know the zone.
    """
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BundleError(
            f"manifest.json: timezone: this machine's time zone database does not know {name!r};"
            " if it has none, install the Python package tzdata"
        ) from error


def local_clock(time: int, zone: tzinfo) -> str:
    """Return what a local clock shows at a Unix time [s], as HH:MM, or HH:MM:SS off the minute."""
    local = (_EPOCH + timedelta(seconds=time)).astimezone(zone)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
