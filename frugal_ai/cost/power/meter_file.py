"""A meter whose readings another program appends to a file, line by line."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from frugal_ai.cost.power.gauge import Measured
from frugal_ai.errors import CostError
from frugal_ai.units import J_PER_KWH

HEADS = {"time,w": None, "time,wh": J_PER_KWH / 1000, "time,kwh": J_PER_KWH, "time,j": 1.0}
"""First lines, with joules per unit of a counter; None for power."""

_SILENCE_S = 60.0
_SHORTEST_S = 10.0
_LINES = 5  # of readings that a difference must span
_JUMP_S = 2.0  # between two clocks, beyond which one of them was set


@dataclass
class MeterFile:
    """Energy from lines `time,value`; between lines, the power of the last ones holds.

    Parameters
    ----------
    path
        CSV with one of `HEADS` as its first line; times are unix seconds or ISO 8601 with an
        offset from UTC, ascending; counters never go down.
    clock
        What the times of the file are compared with [unix s].
    steady
        Time that only grows [s]; tells a clock that was set from time that has passed.
    silence_s
        How old the last line may be [s].

    Raises
    ------
    CostError
        If the file is not such a file or has no reading of late.
    """

    path: Path
    clock: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    silence_s: float = _SILENCE_S
    method: Measured = "wall"
    _read: int = field(default=0, init=False)
    _scale: float | None = field(default=None, init=False)
    _headed: bool = field(default=False, init=False)
    _last: tuple[float, float] | None = field(default=None, init=False)
    _watts: float = field(default=0.0, init=False)
    _interval_s: float = field(default=0.0, init=False)
    _total_j: float = field(default=0.0, init=False)
    _told_j: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._offset_s = self.clock() - self.steady()
        self.joules()

    @property
    def shortest_s(self) -> float:
        """Least wall time over which a difference means something [s]."""
        return max(_SHORTEST_S, _LINES * self._interval_s)

    def joules(self) -> float:
        """Return the energy since the first line [J].

        Raises
        ------
        CostError
            If the meter has stopped or counts backwards, or a clock was set.
        """
        jump = self.clock() - self.steady() - self._offset_s
        if abs(jump) > _JUMP_S:
            raise CostError(f"{self.path}: expected a clock that runs evenly, it was set by "
                            f"{jump:+.0f} s: readings cannot be assigned to work")  # fmt: skip
        self._take_in()
        if self._last is None:
            raise CostError(f"{self.path}: expected readings, found none")
        age = self.clock() - self._last[0]
        if not -_JUMP_S <= age <= self.silence_s:
            raise CostError(
                f"{self.path}: expected a reading of the last {self.silence_s:g} s, "
                f"the last one is {age:.0f} s old"
            )
        # what was extrapolated too high is not taken back
        self._told_j = max(self._told_j, self._total_j + self._watts * max(age, 0.0))
        return self._told_j

    def close(self) -> None:
        """Nothing runs in the background."""

    def _take_in(self) -> None:
        """Read what was appended; a line that is not finished yet waits."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
        except OSError as error:
            raise CostError(f"{self.path}: cannot be read: {error.strerror}") from error
        if not whole:
            return
        self._read += len(whole) + 1
        for line in whole.decode("utf-8", "replace").splitlines():
            if not self._headed:
                self._head(line)
            elif line.strip():
                self._reading(line)

    def _head(self, line: str) -> None:
        head = line.replace(" ", "").strip().lower()
        if head not in HEADS:
            raise CostError(f"{self.path}: expected the first line {' or '.join(HEADS)}, "
                            f"got {line[:80]!r}")  # fmt: skip
        self._scale, self._headed = HEADS[head], True

    def _reading(self, line: str) -> None:
        at, value = self._parsed(line)
        before = self._last
        if before is None:
            self._last, self._watts = (at, value), value if self._scale is None else 0.0
            return
        passed = at - before[0]
        if passed <= 0:
            raise CostError(f"{self.path}: expected ascending times, got {line!r} after one "
                            f"{-passed:g} s later: its clock jumps")  # fmt: skip
        if self._scale is None:
            self._total_j += (before[1] + value) / 2 * passed
            self._watts = value
        else:
            step = (value - before[1]) * self._scale
            if step < 0:
                raise CostError(f"{self.path}: expected a meter that counts upwards, got {line!r} "
                                f"after {before[1]:g}")  # fmt: skip
            self._total_j += step
            self._watts = step / passed
        self._last, self._interval_s = (at, value), passed

    def _parsed(self, line: str) -> tuple[float, float]:
        when, _, cell = line.partition(",")
        try:
            at, value = _instant(when.strip()), float(cell)
        except ValueError as error:
            raise CostError(f"{self.path}: expected time,value, got {line[:80]!r}") from error
        if not (math.isfinite(at) and 0 <= value < math.inf):
            raise CostError(f"{self.path}: expected values of 0 or more, got {line[:80]!r}")
        return at, value


def _instant(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"expected an offset from UTC, got {text!r}")
    return found.timestamp()
