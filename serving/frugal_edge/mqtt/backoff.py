"""How long to wait before the next try."""

import random
from collections.abc import Callable


class Backoff:
    """Pauses that double, each cut by up to half at random.

    Without chance all gateways would come back at the same instant to a broker that restarted.

    Parameters
    ----------
    first, most
        Shortest and longest pause [s].
    chance
        Returns a number from 0 to 1.
    """

    def __init__(
        self, first: float = 1.0, most: float = 60.0, chance: Callable[[], float] = random.random
    ) -> None:
        self.first = first
        self.most = most
        self._chance = chance
        self._next = first

    def pause(self) -> float:
        """Return the next pause [s]."""
        pause, self._next = self._next, min(2 * self._next, self.most)
        return pause * (1 - self._chance() / 2)

    def reset(self) -> None:
        """Begin with the shortest again."""
        self._next = self.first
