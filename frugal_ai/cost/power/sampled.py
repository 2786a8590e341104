"""Energy of a meter that says how many watts there are just now: asked every second, added up."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from frugal_ai.cost.power.background import Background
from frugal_ai.cost.power.gauge import Measured
from frugal_ai.errors import CostError

_PERIOD_S = 1.0
_SILENCE_S = 10.0  # without an answer, a meter is not there any more
_SHORTEST_S = 10.0  # ten samples


@dataclass
class Sampled:
    """Integrates watts over time by trapezoids; between samples the last one holds.

    Parameters
    ----------
    watts
        Asks the meter [W]; raises CostError where it does not answer.
    method
        What kind of meter it is.
    clock
        Time that only grows [s].
    period_s
        How often it is asked [s]; None to be asked by `sample` alone.
    silence_s
        How long it may fail to answer [s].
    shortest_s
        Least wall time over which a difference means something [s].
    """

    watts: Callable[[], float]
    method: Measured
    clock: Callable[[], float] = time.monotonic
    period_s: float | None = _PERIOD_S
    silence_s: float = _SILENCE_S
    shortest_s: float = _SHORTEST_S
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _total_j: float = field(default=0.0, init=False)
    _reason: str = field(default="", init=False)
    _background: Background | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._last_w, self._at_s = self._asked(), self.clock()  # a meter that is not there is told
        if self.period_s is not None:
            self._background = Background(self.sample, self.period_s)

    def sample(self) -> None:
        """Ask the meter once; an answer that fails to come is remembered."""
        try:
            now_w = self._asked()
        except CostError as error:
            self._reason = str(error)
            return
        with self._lock:
            now_s = self.clock()
            self._total_j += (self._last_w + now_w) / 2 * (now_s - self._at_s)
            self._last_w, self._at_s = now_w, now_s

    def joules(self) -> float:
        """Return the energy since the first sample [J].

        Raises
        ------
        CostError
            If the meter has not answered for too long.
        """
        with self._lock:
            age_s = self.clock() - self._at_s
            if age_s > self.silence_s:
                why = f": {self._reason}" if self._reason else ""
                raise CostError(
                    f"{self.method}: expected an answer of the meter within {self.silence_s:g} s, "
                    f"got none for {age_s:.0f} s{why}"
                )
            return self._total_j + self._last_w * age_s

    def close(self) -> None:
        """End the thread."""
        if self._background is not None:
            self._background.close()

    def _asked(self) -> float:
        found = self.watts()
        if not 0 <= found < 1e6:  # NaN, too
            raise CostError(f"{self.method}: expected a power of 0 W or more, got {found:g} W")
        return found
