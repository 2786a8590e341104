"""Rows in order, and only beside rows that they may be compared with."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from frugal_ai.report import Circumstances, RungRow


@dataclass(frozen=True)
class Board:
    """Rows of one pipeline under equal circumstances, the smallest error first."""

    circumstances: Circumstances
    rows: tuple[RungRow, ...]


def boards(rows: Iterable[RungRow]) -> list[Board]:
    """Gather the latest row of each rung with those that it may be compared with.

    Never pooled are other targets, hardware, energy methods or carbon factors, nor perfect weather
    with weather as it was known.

    Parameters
    ----------
    rows
        Of any runs.

    Returns
    -------
    list[Board]
        By pipeline; of one pipeline's boards, the one with the latest run first.
    """
    found: dict[Circumstances, list[RungRow]] = {}
    for row in rows:
        found.setdefault(row.circumstances, []).append(row)
    newest = {key: max(row.ended for row in group) for key, group in found.items()}
    order = sorted(found, key=lambda key: newest[key], reverse=True)
    return [
        Board(key, tuple(sorted(latest(found[key]), key=_rank)))
        for key in sorted(order, key=lambda key: key.pipeline)
    ]


def latest(rows: Iterable[RungRow]) -> list[RungRow]:
    """Keep the latest row of each rung, and the mark of the latest choice alone."""
    by_time = sorted(rows, key=lambda row: (row.ended, row.run_id))
    kept = {row.rung: row for row in by_time}
    chosen = [row for row in by_time if row.chosen][-1:]
    return [
        row.model_copy(update={"chosen": row in chosen}) if row.chosen else row
        for row in kept.values()
    ]


def _rank(row: RungRow) -> tuple[float, float, str]:
    return _known(row.mae), _known(row.life_g), row.rung


def _known(value: float | None) -> float:
    return math.inf if value is None else value
