"""Students that are rungs of the ladder with fewer and smaller trees, or with none."""

from datetime import timedelta

from frugal_ai.compress.student import Student
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.residual_boosting import ResidualBoosting
from frugal_ai.ladder.rung import Rung

_BOOSTED = ((50, 31, 0.15), (100, 15, 0.1), (200, 15, 0.07))  # trees, leaves, learning rate
_ON_RIDGE = ((50, 15, 0.15), (100, 15, 0.1))


def few_trees(level: timedelta | None) -> tuple[Student, ...]:
    """List them, cheapest first.

    What a teacher says has little noise, so that squares are no worse than absolute errors, and
    trees may learn fast.

    Parameters
    ----------
    level
        Of `Boosting`: the last days' level that trees alone add to; None for none.
    """
    on_ridge = [_on_ridge(*size) for size in _ON_RIDGE]
    return (BasisRidge(), *on_ridge, *(_boosted(*size, level) for size in _BOOSTED))


def _boosted(trees: int, leaves: int, rate: float, level: timedelta | None) -> Rung:
    return Boosting(
        label=f"boosting_{trees}x{leaves}",
        trees=trees,
        leaves=leaves,
        learning_rate=rate,
        loss="squared",
        level=level,
    )


def _on_ridge(trees: int, leaves: int, rate: float) -> Rung:
    return ResidualBoosting(
        label=f"residual_boosting_{trees}x{leaves}",
        trees=trees,
        leaves=leaves,
        learning_rate=rate,
        loss="squared",
    )
