"""Which origins a model may be asked for."""

from functools import lru_cache
from operator import index
from typing import SupportsIndex, cast

from frugal_edge.clock import find_zone, format_time, local_clock
from frugal_edge.errors import InputError
from frugal_edge.manifest import Manifest

_LOOK_BACK_S = 2 * 86400  # far enough to meet a local time again, on any day


def check_origin(manifest: Manifest, origin: object) -> int:
    """Refuse an origin outside what the model was built and trained for.

    The graph looks days up in tables, where an index below zero would wrap around and give a
    plausible forecast, so the window of validity is checked here.

    Parameters
    ----------
    manifest
        Of the bundle.
    origin
        Start of the first target interval, Unix time [s].

    Returns
    -------
    int
        The origin.

    Raises
    ------
    InputError
        If the origin is no whole number, not within ``valid_from`` to ``valid_until``, not on the
        grid of steps counted from ``valid_from``, or not at a local time of the training.
    """
    try:
        time = index(cast("SupportsIndex", origin))
    except TypeError:
        raise InputError(f"origin: expected whole Unix seconds, got {origin!r}") from None
    first, last = manifest.origins.valid_from, manifest.origins.valid_until
    if not first <= time <= last:
        raise InputError(
            f"origin {format_time(time)}: expected one from {format_time(first)} to"
            f" {format_time(last)}, for which the model holds"
        )
    if (time - first) % manifest.step_s:
        raise InputError(
            f"origin {format_time(time)}: expected a whole number of steps of {manifest.step_s} s"
            f" from {format_time(first)}"
        )
    _check_local_time(manifest, time)
    return time


def latest_origin(manifest: Manifest, now: int) -> int:
    """Return the last origin at or before a time [unix s] at which the model may be asked.

    Raises
    ------
    InputError
        If the model does not hold at that time, or for no local time of the last two days.
    """
    first, last = manifest.origins.valid_from, manifest.origins.valid_until
    if not first <= now <= last:
        raise InputError(
            f"{format_time(now)}: expected a time from {format_time(first)} to"
            f" {format_time(last)}, for which the model {manifest.id} holds"
        )
    newest = now - (now - first) % manifest.step_s
    origin = _trained_for(manifest, newest)
    if origin is None:
        raise InputError(
            f"{format_time(now)}: none of the last two days' origins is at"
            f" {', '.join(manifest.origins.local_time)} in {manifest.timezone}, for which the model"
            f" {manifest.id} was trained"
        )
    return origin


def _trained_for(manifest: Manifest, newest: int) -> int | None:
    """Return the last origin up to `newest` at a local time of the training, if there is one."""
    trained = manifest.origins.local_time
    if not trained:
        return newest
    zone = find_zone(manifest.timezone)
    first = max(newest - _LOOK_BACK_S, manifest.origins.valid_from)
    downwards = range(newest, first - 1, -manifest.step_s)
    return next((time for time in downwards if local_clock(time, zone) in trained), None)


def _check_local_time(manifest: Manifest, origin: int) -> None:
    trained = manifest.origins.local_time
    if not trained:
        return
    clock = _clock_at(origin, manifest.timezone)
    if clock in trained:
        return
    last = _trained_for(manifest, origin)
    hint = "" if last is None else f"; the last such origin before it is {format_time(last)}"
    raise InputError(
        f"origin {format_time(origin)} is {clock} in {manifest.timezone}: the model was trained for"
        f" origins at {', '.join(manifest.origins.local_time)}{hint}"
    )


@lru_cache(maxsize=256)  # many forecasts are asked for one origin
def _clock_at(origin: int, timezone: str) -> str:
    return local_clock(origin, find_zone(timezone))
