"""The greenest window to work in before a deadline, beside starting now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from frugal_ai.cost.intensity.point import Base, Point, ordered, require_one_base, stamp
from frugal_ai.errors import CostError
from frugal_ai.wording import figure, mass, percent


@dataclass(frozen=True)
class Window:
    """Work from one instant on.

    Attributes
    ----------
    start, end
        Of the work.
    g_per_kwh
        Mean intensity [gCO2e/kWh].
    low, high
        Where it lies in 80 % of cases if the errors of all its hours go together, which is the
        widest that they can make it [gCO2e/kWh]; None where the points do not say.
    """

    start: datetime
    end: datetime
    g_per_kwh: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Choice:
    """Which window is the greenest.

    Attributes
    ----------
    now, best
        Starting at once, and the greenest window.
    base
        What the intensities count.
    sources
        Who says so.
    estimated
        Whether any of them is a forecast or an estimate.
    searched_until
        End of the span that was searched: the deadline, or the end of what is known before it.
    """

    now: Window
    best: Window
    base: Base
    sources: tuple[str, ...]
    estimated: bool
    searched_until: datetime

    @property
    def saving_g_per_kwh(self) -> float:
        """What waiting saves [gCO2e/kWh]."""
        return self.now.g_per_kwh - self.best.g_per_kwh

    @property
    def saving(self) -> float:
        """What waiting saves, as a share of starting now [1]; 0 where now is free of emissions."""
        return self.saving_g_per_kwh / self.now.g_per_kwh if self.now.g_per_kwh else 0.0

    @property
    def certain(self) -> bool | None:
        """Whether the intervals of both windows lie apart; None without intervals."""
        if self.now.low is None or self.best.high is None:
            return None
        return self.best.high < self.now.low


def greenest(
    points: Sequence[Point], now: datetime, deadline: datetime, duration: timedelta
) -> Choice:
    """Find the window of least mean intensity; of equal ones the earliest.

    Between points the mean of a window is linear in its start, so that the least one starts or ends
    where a point does, or starts now or ends at the deadline.

    Parameters
    ----------
    points
        Intensities, without a gap from now to the deadline, or to where they end before it.
    now, deadline
        The work starts at or after the one and ends by the other.
    duration
        Of the work.

    Raises
    ------
    CostError
        If there is no time for the work, points are missing, or they do not count the same.
    """
    if duration <= timedelta(0):
        raise CostError(f"--duration: expected more than 0s, got {duration}")
    if deadline - now < duration:
        raise CostError(
            f"--deadline: expected {duration} (the duration) or more after {stamp(now)}, got"
            f" {stamp(deadline)}"
        )
    known = _span([point for point in ordered(points) if point.end_utc > now], now)
    until = min(deadline, known[-1].end_utc)
    if until - now < duration:
        raise CostError(
            f"intensity: expected values for {duration} from {stamp(now)} on, got them until"
            f" {stamp(until)}"
        )
    inside = [point for point in known if point.start_utc < until]
    windows = [_window(inside, start, duration) for start in _starts(inside, now, until, duration)]
    return Choice(
        now=windows[0],
        best=min(windows, key=lambda window: (window.g_per_kwh, window.start)),
        base=require_one_base(inside),
        sources=tuple(dict.fromkeys(point.source for point in inside)),
        estimated=any(point.estimated for point in inside),
        searched_until=until,
    )


def _span(points: list[Point], now: datetime) -> list[Point]:
    """Check that points cover everything from now to their end."""
    if not points or points[0].start_utc > now:
        first = f"the first at {stamp(points[0].start_utc)}" if points else "none"
        raise CostError(f"intensity: expected a value at {stamp(now)}, got {first}")
    for before, after in pairwise(points):
        if before.end_utc < after.start_utc:
            raise CostError(
                f"{before.source}: expected values without a gap, got none from"
                f" {stamp(before.end_utc)} to {stamp(after.start_utc)}"
            )
    return points


def _starts(
    points: list[Point], now: datetime, until: datetime, duration: timedelta
) -> list[datetime]:
    """List the starts among which the least mean is, now first."""
    edges = {now, until - duration}
    edges |= {point.start_utc for point in points} | {point.end_utc - duration for point in points}
    return sorted(edge for edge in edges if now <= edge <= until - duration)


def _window(points: list[Point], start: datetime, duration: timedelta) -> Window:
    end = start + duration
    inside = [point for point in points if point.end_utc > start and point.start_utc < end]
    shares = [
        (min(point.end_utc, end) - max(point.start_utc, start)) / duration for point in inside
    ]

    def mean(values: Iterable[float | None]) -> float | None:
        found = list(values)
        known = [value for value in found if value is not None]
        if len(known) < len(found):
            return None
        return sum(share * value for share, value in zip(shares, known, strict=True))

    middle = mean(point.g_per_kwh for point in inside)
    assert middle is not None  # noqa: S101 - every point has a value
    low, high = mean(point.low for point in inside), mean(point.high for point in inside)
    return Window(start, end, middle, low, high)


@dataclass(frozen=True)
class Advice:
    """A choice, and what it means for work of so much electricity.

    Attributes
    ----------
    choice
        The windows.
    kwh
        That the work takes [kWh].
    deadline
        As it was asked for.
    """

    choice: Choice
    kwh: float
    deadline: datetime

    @property
    def saving_g(self) -> float:
        """What waiting saves [gCO2e]."""
        return self.choice.saving_g_per_kwh * self.kwh

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain JSON."""
        choice = self.choice
        return {
            "start": stamp(choice.best.start),
            "end": stamp(choice.best.end),
            "now": _plain(choice.now),
            "greenest": _plain(choice.best),
            "kwh": self.kwh,
            "saving_g": self.saving_g,
            "saving_share": choice.saving,
            "intervals_apart": choice.certain,
            "basis": choice.base.basis,
            "kind": choice.base.kind,
            "scope": choice.base.scope,
            "estimated": choice.estimated,
            "sources": list(choice.sources),
            "searched_until": stamp(choice.searched_until),
            "notes": self.notes(),
        }

    def lines(self) -> list[str]:
        """Say it in lines for a terminal."""
        choice = self.choice
        best, now = choice.best, choice.now
        same = best.start == now.start
        saved = f"saves {mass(self.saving_g)} ({percent(choice.saving)})"
        return [
            "start now: nothing before the deadline is greener"
            if same
            else f"start at {stamp(best.start)}, end at {stamp(best.end)}: {saved}",
            f"now       {_figure(now)}, {mass(now.g_per_kwh * self.kwh)}",
            f"greenest  {_figure(best)}, {mass(best.g_per_kwh * self.kwh)}",
            f"counts    {choice.base}; {', '.join(choice.sources)}",
            *(f"note      {one}" for one in self.notes()),
        ]

    def notes(self) -> list[str]:
        """Say what a reader should know."""
        choice, said = self.choice, []
        if choice.certain is False and choice.best.start != choice.now.start:
            said.append("the intervals of both windows overlap: that waiting saves is not certain")
        if choice.certain is None and choice.estimated:
            said.append("the source gives no interval: how certain the saving is, is not known")
        if choice.base.basis == "direct":
            said.append("direct emissions alone: good for when, not for totals")
        if choice.searched_until < self.deadline:
            until = stamp(choice.searched_until)
            said.append(f"nothing is known after {until}: only windows before it were compared")
        return said


def advice(choice: Choice, kwh: float, deadline: datetime) -> Advice:
    """Say what a choice means for work that takes so much electricity [kWh].

    Raises
    ------
    CostError
        If it takes less than none.
    """
    if not kwh >= 0:
        raise CostError(f"energy: expected 0 kWh or more, got {kwh:g}")
    return Advice(choice, kwh, deadline)


def _plain(window: Window) -> dict[str, Any]:
    return {
        "start": stamp(window.start),
        "g_per_kwh": window.g_per_kwh,
        "low": window.low,
        "high": window.high,
    }


def _figure(window: Window) -> str:
    ends = (
        ""
        if window.low is None or window.high is None
        else (f" [{figure(window.low)}, {figure(window.high)}]")
    )
    return f"{figure(window.g_per_kwh)}{ends} gCO2e/kWh"
