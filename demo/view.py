"""The terminal: forecasts as they arrive, then what came of it."""

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from frugal_edge.quality import Quality
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.spectator import Arrival
from demo.summary import Line

_BARS = "▁▂▃▄▅▆▇█"
_CELLS = 24
_WIDTH = 88
_LAST = 16  # rows that stay in view
_ZONE = ZoneInfo("Europe/Paris")
_COLOURS = {
    Quality.MODEL: "green",
    Quality.GAP_FILLED: "yellow",
    Quality.FALLBACK: "dark_orange",
}


class View:
    """What a spectator sees; nothing but the summary where stdout is no terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._rows: list[tuple[str | Text, ...]] = []
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._shown = self._console.is_terminal

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, time: float, sentence: str) -> None:
        """Show what goes wrong."""
        self._rows.append((_clock(time), "", "", Text(sentence, "italic red"), "", ""))

    def arrived(self, arrival: Arrival) -> None:
        """Show a forecast."""
        one = arrival.issued
        late = round((arrival.time - one.issued_at) / 3600)
        spread = f"{one.values.min():.1f} to {one.values.max():.1f}" if len(one.values) else "-"
        self._rows.append(
            (
                _clock(one.issued_at),
                f"+{late}h" if late else "",
                Text(one.quality.value, _COLOURS.get(one.quality, "red")),
                Text(_sparkline(one.values), _COLOURS.get(one.quality, "red")),
                spread,
                str(arrival.bytes),
            )
        )

    def refresh(self, state: str) -> None:
        """Draw what there is."""
        if self._shown:
            self._live.update(Group(Text(state, "bold"), self._table(_LAST)), refresh=True)

    def close(self, lines: Sequence[Line], facts: Sequence[str]) -> None:
        """Print all that arrived, where somebody looks, and the summary."""
        self._live.stop()
        self._print(self._console, lines, facts, all_rows=self._shown)

    def save(self, path: Path, lines: Sequence[Line], facts: Sequence[str]) -> None:
        """Write the same as SVG, without fonts from elsewhere."""
        console = Console(
            record=True, file=io.StringIO(), width=_WIDTH, force_terminal=True, highlight=False
        )
        self._print(console, lines, facts, all_rows=True)
        text = console.export_svg(title="make run-gateway", unique_id="gateway")
        text = re.sub(r"@font-face \{.*?\}\s*", "", text, flags=re.DOTALL)
        path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", "utf-8")

    def _print(
        self, console: Console, lines: Sequence[Line], facts: Sequence[str], *, all_rows: bool
    ) -> None:
        if all_rows:
            console.print(self._table(len(self._rows)))
            console.print()
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for header in ("quality", "forecasts", "values held against readings", "MAE MW"):
            table.add_column(header, justify="left" if header == "quality" else "right")
        for one in lines:
            mae = f"{one.mae:.3f}" if one.values else "-"
            table.add_row(one.quality.value, str(one.forecasts), str(one.values), mae)
        console.print(table)
        for fact in facts:
            console.print(fact)

    def _table(self, last: int) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=False)
        for header in ("issued", "late", "quality", "the next day", "MW", "bytes"):
            right = header in {"late", "bytes"}
            table.add_column(header, justify="right" if right else "left", no_wrap=True)
        for row in self._rows[-last:]:
            table.add_row(*row)
        return table


def _sparkline(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> str:
    if not len(values):
        return ""
    means = np.array([part.mean() for part in np.array_split(values, _CELLS)])
    low, high = means.min(), means.max()
    scaled = (means - low) / (high - low) if high > low else np.zeros(len(means))
    return "".join(_BARS[int(one)] for one in np.minimum(scaled * len(_BARS), len(_BARS) - 1))


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).astimezone(_ZONE).strftime("%d %b %H:%M")
