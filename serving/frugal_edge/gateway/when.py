"""What time it is for a series, when the clock may be wrong."""

from frugal_edge.gateway.intake import Now
from frugal_edge.gateway.target import Target
from frugal_edge.store.readings import Readings


def when(target: Target, readings: Readings, clock: float, *, trusted: bool) -> Now:
    """Hold the clock and the newest reading against each other.

    With a clock that may be right, readings that it has not reached do not count: they came while
    it was wrong.

    Raises
    ------
    StoreError
        If the database cannot be read.
    """
    now = int(clock)
    if trusted:
        return Now(now, True, readings.newest(target.series_id, now + target.step_s))
    return Now(now, False, readings.newest(target.series_id))
