"""A wait for the greenest window, which is chosen again as observations arrive.

What is forecast for the next hours is far surer than what was forecast for them a day ago. So
nothing is decided but whether to start now or to ask again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from frugal_ai.cost.intensity.point import stamp
from frugal_ai.errors import CostError, FrugalError
from frugal_ai.when import Choice
from frugal_ai.wording import figure

LEAST_EVERY = timedelta(minutes=1)
"""Shortest time from one question to the next."""

_SLICE_S = 60.0  # a machine that was suspended notices within it what time it is
_SET_BACK_S = 60.0  # from which on a clock was set, and has not drifted
_UNIT = "gCO2e/kWh"

Grams = TypeVar("Grams")
"""A mean intensity [gCO2e/kWh], or an array of them."""


def due(now: Grams, least: Grams) -> Grams:
    """Say whether to start: nothing that is left is expected to be greener than starting now.

    Parameters
    ----------
    now
        Expected of the window that begins now.
    least
        The least that is expected of any window up to the deadline, that one included.

    Returns
    -------
    bool or array of bool
        One for each element.
    """
    return now <= least  # type: ignore[no-any-return,operator]  # floats and arrays compare alike


class Clock(Protocol):
    """Says what time it is, and lets time pass."""

    def now(self) -> datetime:
        """Return the time, which never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds, or earlier."""
        ...


@dataclass
class SystemClock:
    """The machine's clock; where it is set back, time goes on as it has really passed.

    Attributes
    ----------
    wall, steady, pause
        Where time comes from: seconds since 1970, seconds that nobody can set, and a pause.
    tell
        Hears that the clock was set back, once.
    """

    tell: Callable[[str], None]
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _begun: tuple[float, float] = field(init=False)
    _told: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._begun = (self.wall(), self.steady())

    def now(self) -> datetime:
        """Return the time; a suspended machine's steady clock rests, so the later one is right."""
        begun, since = self._begun
        passed = self.steady() - since
        shown = self.wall() - begun
        if shown < passed - _SET_BACK_S and not self._told:
            self._told = True
            self.tell(f"clock: set back by {passed - shown:.0f} s; time is counted on without it")
        return datetime.fromtimestamp(begun + max(passed, shown), UTC)

    def sleep(self, seconds: float) -> None:
        """Pause for a minute at most."""
        self.pause(min(max(seconds, 0.0), _SLICE_S))


@dataclass(frozen=True)
class Wait:
    """What is waited for.

    Attributes
    ----------
    deadline
        The work ends by it.
    duration
        Of the work.
    every
        Time from one question to the next.

    Raises
    ------
    CostError
        If it is asked more often than once a minute.
    """

    deadline: datetime
    duration: timedelta
    every: timedelta

    def __post_init__(self) -> None:
        if self.every < LEAST_EVERY:
            raise CostError(f"--every: expected 1min or more, got {self.every}")

    @property
    def latest(self) -> datetime:
        """The work starts by then."""
        return self.deadline - self.duration


def wait(
    asked: Wait, ask: Callable[[datetime], Choice], clock: Clock, tell: Callable[[str], None]
) -> None:
    """Return when the time to start has come, at the latest where the deadline wants it.

    A question that fails after the first changes nothing: the start stays where the last answer had
    it, and the next question may move it.

    Parameters
    ----------
    asked
        What is waited for.
    ask
        Chooses a window from an instant on.
    clock
        Of the machine, or of a test.
    tell
        Hears each decision in a line.

    Raises
    ------
    FrugalError
        If the first question fails.
    """
    planned: datetime | None = None
    while True:
        now = clock.now()
        if planned is not None and now >= asked.latest:
            tell(f"{stamp(now)} start: {_too_late(now, asked)}")
            return
        try:
            choice = ask(now)
        except FrugalError as error:
            if planned is None:
                raise
            if now >= planned:
                tell(f"{stamp(now)} start as planned; not asked again: {error}")
                return
            tell(f"{stamp(now)} wait until {stamp(planned)} as planned; not asked again: {error}")
        else:
            tell(f"{stamp(now)} {_said(choice)}")
            if due(choice.now.g_per_kwh, choice.best.g_per_kwh):
                return
            planned = choice.best.start
        _sleep_until(clock, min(now + asked.every, planned, asked.latest))


def _sleep_until(clock: Clock, then: datetime) -> None:
    while (left := (then - clock.now()).total_seconds()) > 0:
        clock.sleep(left)


def _said(choice: Choice) -> str:
    now, best = choice.now, choice.best
    if due(now.g_per_kwh, best.g_per_kwh):
        return f"start: {figure(now.g_per_kwh)} {_UNIT}, nothing that is left is expected below it"
    return (
        f"wait: {figure(best.g_per_kwh)} {_UNIT} are expected at {stamp(best.start)}, "
        f"{figure(now.g_per_kwh)} now"
    )


def _too_late(now: datetime, asked: Wait) -> str:
    late = now - asked.latest
    if late < _LATE:
        return "the deadline leaves no time to wait"
    return f"{timedelta(seconds=round(late.total_seconds()))} late, the deadline will be missed"


_LATE = timedelta(minutes=2)  # what sleeping in slices and starting takes
