"""Something that is done every few seconds while other work goes on."""

import threading
from collections.abc import Callable


class Background:
    """Calls `work` every `period_s` seconds, in a thread, until closed."""

    def __init__(self, work: Callable[[], None], period_s: float) -> None:
        self._work, self._period_s = work, period_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="power", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; one that is waiting for an answer is left to its time limit."""
        self._ended.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            self._work()
