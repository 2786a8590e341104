"""Axes of a picture: where a value stands, and which values are written."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear or logarithmic axis from `low` at pixel `start` to `high` at pixel `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """Return where a value stands [pixels]; what lies outside stands at the end."""
        kept = min(max(value, self.low), self.high)
        if self.log:
            part = math.log(kept / self.low) / math.log(self.high / self.low)
        else:
            part = (kept - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values between the ends."""
        return _decades(self.low, self.high) if self.log else _even(self.low, self.high)


def log_axis(values: list[float], start: float, end: float, room: tuple[float, float]) -> Axis:
    """Return a logarithmic axis around positive values, with room as shares of their span."""
    low, high = min(values), max(values)
    span = max(high / low, 4.0)
    middle = math.sqrt(low * high)
    low, high = min(low, middle / math.sqrt(span)), max(high, middle * math.sqrt(span))
    return Axis(low / span ** room[0], high * span ** room[1], start, end, log=True)


def linear_axis(values: list[float], start: float, end: float, room: float) -> Axis:
    """Return a linear axis around values, with room on both sides as a share of their span."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    return Axis(low - room * span, high + room * span, start, end, log=False)


_MANY, _FEW = 4, 8


def _decades(low: float, high: float) -> list[float]:
    """Return powers of ten, with 2 and 5 between where they are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**one for one in exponents if low <= 10.0**one <= high]
    if len(tens) >= _MANY:
        return tens[:: math.ceil(len(tens) / _FEW)]
    finer = [part * 10.0**one for one in exponents for part in (1.0, 2.0, 5.0)]
    return [one for one in finer if low <= one <= high]


def _even(low: float, high: float) -> list[float]:
    size = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(part * size for part in (1, 2, 5, 10) if (high - low) / (part * size) <= 6)
    first = math.ceil(low / step)
    return [step * index for index in range(first, math.floor(high / step) + 1)]
