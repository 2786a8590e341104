"""RAPL: what the processor's packages count themselves, in Linux's powercap tree."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from frugal_ai.cost.power.background import Background
from frugal_ai.cost.power.gauge import Measured
from frugal_ai.errors import CostError

TREE = Path("/sys/class/powercap")

_SHORTEST_S = 1.0  # counters are renewed every millisecond, but not all at once
_MOST_W = 2000.0  # of one package; more is a counter that was reset, not a wrap
_PERIOD_S = 30.0  # a counter of 65 kJ wraps after 33 s at `_MOST_W`


@dataclass
class _Package:
    """A counter, unwrapped."""

    file: Path
    range_uj: int
    last_uj: int
    at_s: float
    total_uj: int = 0

    def take(self, now_s: float) -> None:
        found = _number(self.file)
        step = found - self.last_uj
        if step < 0:
            step += self.range_uj + 1
        most = _MOST_W * max(now_s - self.at_s, 1e-3) * 1e6
        if not 0 <= found <= self.range_uj or step > max(most, 1e6):
            raise CostError(
                f"rapl: {self.file}: expected a counter that goes up or wraps at {self.range_uj} "
                f"uJ, got {found} after {self.last_uj}"
            )
        self.total_uj, self.last_uj, self.at_s = self.total_uj + step, found, now_s


@dataclass
class Rapl:
    """Energy of all packages of this machine.

    Notes
    -----
    Read it with `Rapl.open`. Counters wrap after minutes to hours; a thread reads them often enough
    that none wraps twice unseen.
    """

    packages: list[_Package]
    clock: Callable[[], float] = time.monotonic
    method: Measured = "rapl"
    shortest_s: float = _SHORTEST_S
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _error: CostError | None = None
    _background: Background | None = None

    @classmethod
    def open(
        cls,
        tree: Path = TREE,
        clock: Callable[[], float] = time.monotonic,
        period_s: float | None = _PERIOD_S,
    ) -> Self:
        """Find the packages.

        Parameters
        ----------
        tree
            Of powercap.
        clock
            Time that only grows [s].
        period_s
            How often counters are read anyway [s]; None for never.

        Raises
        ------
        CostError
            If there is none, or it cannot be read; the message says why.
        """
        packages = [_opened(zone, clock()) for zone in packages_in(tree)]
        if not packages:
            raise CostError(f"rapl: {tree}: expected a package, found none; virtual machines and "
                            "processors other than x86 have no RAPL")  # fmt: skip
        found = cls(packages, clock)
        if period_s is not None:
            found._background = Background(found._poll, period_s)
        return found

    def joules(self) -> float:
        """Return the energy since opening [J].

        Raises
        ------
        CostError
            If a counter cannot be read or goes down without wrapping.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            for package in self.packages:
                package.take(self.clock())
            return sum(package.total_uj for package in self.packages) / 1e6

    def close(self) -> None:
        """End the thread."""
        if self._background is not None:
            self._background.close()

    def _poll(self) -> None:
        try:
            self.joules()
        except CostError as error:
            self._error = error


def packages_in(tree: Path) -> list[Path]:
    """Return the packages of a powercap tree, readable or not."""
    zones = sorted(tree.glob("intel-rapl:*")) if tree.is_dir() else []
    return [zone for zone in zones if _name(zone).startswith("package-")]


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _opened(zone: Path, now_s: float) -> _Package:
    file = zone / "energy_uj"
    return _Package(file, _number(zone / "max_energy_range_uj"), _number(file), now_s)


def _number(file: Path) -> int:
    try:
        return int(file.read_text(encoding="ascii"))
    except PermissionError as error:
        raise CostError(
            f"rapl: {file}: only root may read it; let this user, for example with chmod a+r {file}"
        ) from error
    except (OSError, ValueError) as error:
        raise CostError(f"rapl: {file}: cannot be read: {error}") from error
