"""What a bill depends on most: each driver turned alone, in the order of what it changes."""

from dataclasses import dataclass

import numpy as np

from frugal_ai.bill.basis import Driver
from frugal_ai.bill.uncertainty import Swings
from frugal_ai.wording import figure, mass


@dataclass(frozen=True)
class Turn:
    """A driver, and the bill's emissions with it at either end [gCO2e]."""

    driver: Driver
    low_g: float
    high_g: float

    @property
    def width(self) -> float:
        """How far the bill moves [gCO2e]."""
        return abs(self.high_g - self.low_g)

    def sentence(self, total_g: float) -> str:
        """Say what turning it would change."""
        ends = " and ".join(
            f"{end} {_signed(grams - total_g, total_g)}"
            for end, grams in zip(self._ends(), (self.low_g, self.high_g), strict=True)
            if grams != total_g
        )
        return f"{self.driver.label}: {ends}"

    def _ends(self) -> tuple[str, str]:
        one = self.driver
        if one.kind == "declared":
            return "halved", "doubled" if one.high == 2 else f"times {figure(one.high)}"
        low, high = (figure(one.value * end) for end in (one.low, one.high))
        unit = "" if one.unit == "1" else f" {one.unit}"
        return f"at {low}{unit}", f"at {high}{unit}"


def tornado(swings: Swings) -> tuple[Turn, ...]:
    """Return every driver that the bill depends on, the most telling first."""
    size = 1 + 2 * len(swings.drivers)
    grams = np.broadcast_to(np.asarray(swings.total.gco2e, dtype=np.float64), (size,))
    turns = [
        Turn(driver, float(grams[1 + 2 * i]), float(grams[2 + 2 * i]))
        for i, driver in enumerate(swings.drivers)
    ]
    moved = [turn for turn in turns if turn.width > 0]
    return tuple(sorted(moved, key=lambda turn: -turn.width))


def _signed(change: float, total_g: float) -> str:
    sign = "+" if change >= 0 else "\u2212"
    share = 100 * abs(change) / abs(total_g) if total_g else 0.0
    return f"{sign}{mass(abs(change))} ({sign}{share:.1f} %)"
