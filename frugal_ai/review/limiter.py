"""How often somebody may fail to sign in, by address and by name, counted in memory."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST = 10_000  # keys that are remembered


@dataclass
class Limiter:
    """Counts failures in a sliding window.

    Parameters
    ----------
    per_name
        Failures of one name from one address.
    per_address
        Failures from one address, whatever the names.
    window_s
        Length of the window [s].
    clock
        A clock that never goes back [s].
    """

    per_name: int = 5
    per_address: int = 30
    window_s: float = 900.0
    clock: Callable[[], float] = time.monotonic
    _failures: OrderedDict[tuple[str, str], deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, address: str, name: str) -> int:
        """Return after how many seconds another try is allowed; 0 for at once."""
        with self._lock:
            waits = [
                self._wait((address, name), self.per_name),
                self._wait((address, ""), self.per_address),
            ]
        return max(waits)

    def failed(self, address: str, name: str) -> None:
        """Count a failure."""
        with self._lock:
            for key in ((address, name), (address, "")):
                self._failures.setdefault(key, deque()).append(self.clock())
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST:
                self._failures.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """Forget the failures of a name from an address, and the last one that was counted."""
        with self._lock:
            self._failures.pop((address, name), None)
            whole = self._failures.get((address, ""))
            if whole:
                whole.pop()

    def _wait(self, key: tuple[str, str], most: int) -> int:
        times = self._failures.get(key)
        if times is None:
            return 0
        now = self.clock()
        while times and times[0] <= now - self.window_s:
            times.popleft()
        if not times:
            del self._failures[key]
        return 0 if len(times) < most else int(times[-most] + self.window_s - now) + 1
