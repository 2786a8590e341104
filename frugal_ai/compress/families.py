"""Features that a graph computes together, and which of them a student need not read."""

from collections.abc import Mapping, Sequence

from frugal_ai.features.column import Column
from frugal_ai.features.columns.ahead import Around
from frugal_ai.features.columns.clock import Ticks, Wave
from frugal_ai.features.columns.combined import Beyond, Times
from frugal_ai.features.columns.fixed import Fixed
from frugal_ai.features.columns.origin import AtOrigin
from frugal_ai.features.columns.past import OverDays
from frugal_ai.features.columns.sky import SkyLevel

COMPOSED = "composed"
"""Products, and what is above a knot."""
FIXED = "fixed"
"""What is the same for every origin."""
CLOCK = "clock"
"""Hours and days as numbers."""


def families(columns: Sequence[Column]) -> tuple[str, ...]:
    """Name the family of each column; those of one cost about as many nodes as one of them."""
    return tuple(map(_family, columns))


def _family(column: Column) -> str:
    for kind, name in _NAMES.items():
        if isinstance(column, kind):
            return name
    match column:
        case OverDays():
            return f"{column.stat} of {len(column.lags)} days"
        case Around():
            return f"around {column.half}"
        case Wave():
            return f"wave of a {column.period}"
        case AtOrigin():
            return column.source.__name__
    return column.kind().__name__


_NAMES: Mapping[type[Column], str] = {
    Times: COMPOSED, Beyond: COMPOSED, Fixed: FIXED, Ticks: CLOCK, SkyLevel: SkyLevel.__name__,
}  # fmt: skip
