"""Times: Unix seconds inside, ISO 8601 with an offset at the edges."""

from datetime import UTC, datetime, timedelta, tzinfo

from frugal_edge.errors import BundleError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


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
        return f"{_EPOCH + timedelta(seconds=time):%Y-%m-%dT%H:%M:%S}Z"
    except OverflowError:
        return f"{time} s after 1970"


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
