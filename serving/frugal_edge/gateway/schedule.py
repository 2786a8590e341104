"""When the gateway looks whether there is something to forecast."""

import asyncio
from collections.abc import Callable

from frugal_edge.gateway.config import ForecastSettings
from frugal_edge.gateway.watchdog import Watchdog

_LONGEST_SLEEP_S = 30.0  # a clock that is set meanwhile is noticed after that


def next_look(now: float, settings: ForecastSettings) -> float:
    """Return the time of the next look [unix s]: a multiple of the period, plus the delay."""
    every, delay = settings.every_s, settings.delay_s
    return ((now - delay) // every + 1) * every + delay


async def until_stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Sleep, but no longer than until a stop is asked for; say whether it was."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def keep_looking(
    look: Callable[[], None],
    settings: ForecastSettings,
    clock: Callable[[], float],
    stop: asyncio.Event,
    watchdog: Watchdog,
) -> None:
    """Look at once and then on schedule, until a stop is asked for.

    Parameters
    ----------
    look
        What is done each time.
    settings
        The period and the delay.
    clock
        Returns the time [unix s].
    stop
        Set when it shall end.
    watchdog
        Told between looks, so that one that hangs is noticed.
    """
    nap = min(_LONGEST_SLEEP_S, watchdog.every_s or _LONGEST_SLEEP_S)
    look()
    due = next_look(clock(), settings)
    while not stop.is_set():
        watchdog.alive()
        now = clock()
        if now >= due or due - now > settings.every_s:  # or the clock was put back
            look()
            due = next_look(clock(), settings)
            continue
        await until_stopped(stop, min(nap, max(due - now, 0.01)))
