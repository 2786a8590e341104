"""Which rows may stand in one table, and in which order."""

from collections.abc import Iterable

from frugal_ai.report import Circumstances, RungRow


def groups(rows: Iterable[RungRow]) -> dict[Circumstances, list[RungRow]]:
    """Group rows that may be compared: same targets, machine and factors; best error first.

    Groups come in the order of their newest row, the newest first; of a rung that was run several
    times under the same circumstances the newest row is kept.
    """
    found: dict[Circumstances, dict[str, RungRow]] = {}
    for row in sorted(rows, key=lambda row: row.ended, reverse=True):
        found.setdefault(row.circumstances, {}).setdefault(row.rung, row)
    return {
        shared: sorted(newest.values(), key=lambda row: (row.mae is None, row.mae))
        for shared, newest in found.items()
    }
