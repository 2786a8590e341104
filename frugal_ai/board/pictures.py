"""Pictures of a run's forecasts, drawn when first asked for, in a process of its own.

Matplotlib and all that it needs stays out of the server's memory.
"""

import subprocess
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from frugal_ai.board.entries import Entry
from frugal_ai.board.store import Store
from frugal_ai.errors import DataError

NAMES = ("forecast", "error_by_lead_time", "reliability")
"""Pictures of every run that kept its forecasts."""

_NEEDED = ("run.json", "forecasts.parquet")
_KEPT = 40  # runs whose pictures are kept
_LONGEST_S = 120


def drawable(files: dict[str, int]) -> bool:
    """Tell whether a run has what pictures are drawn from."""
    return all(name in files for name in _NEEDED)


@dataclass
class Pictures:
    """Pictures by run, the last few kept; one run is drawn at a time."""

    store: Store
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _drawn: OrderedDict[str, dict[str, str]] = field(default_factory=OrderedDict)

    def get(self, entry: Entry, name: str) -> str | None:
        """Return a picture as SVG text; None where there is none.

        Raises
        ------
        DataError
            If the run's files cannot be drawn.
        """
        if name not in NAMES:
            return None
        with self._lock:
            key = entry.run.id
            if key not in self._drawn:
                if not drawable(self.store.files(entry)):
                    return None
                self._drawn[key] = self._draw(entry)
                while len(self._drawn) > _KEPT:
                    self._drawn.popitem(last=False)
            self._drawn.move_to_end(key)
            return self._drawn[key].get(name)

    def _draw(self, entry: Entry) -> dict[str, str]:
        with TemporaryDirectory(prefix="frugal-ai-") as place:
            folder = Path(place)
            for name in _NEEDED:
                (folder / name).write_bytes(self.store.read(entry, name))
            order = [sys.executable, "-m", "frugal_ai.cli", "plot", place]
            try:
                done = subprocess.run(  # noqa: S603 - this program itself, on a folder of our own
                    order, capture_output=True, text=True, timeout=_LONGEST_S, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise DataError(f"run {entry.row.run_id}: drawing took too long") from error
            if done.returncode:
                said = done.stderr.strip().replace(place, entry.row.run_id)
                raise DataError(f"run {entry.row.run_id}: cannot be drawn: {said}")
            return _read(folder / "plots")


def _read(folder: Path) -> dict[str, str]:
    """Read pictures; of many series, the first stands for all as ``forecast``."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.svg"))}
    first = next((text for name, text in found.items() if name.startswith("forecast")), None)
    return found if first is None or "forecast" in found else {**found, "forecast": first}
