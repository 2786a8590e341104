"""Which students are tried on which kind of rung, cheapest first."""

from datetime import timedelta

from frugal_ai.compress.mlp import Mlp
from frugal_ai.compress.original import Original
from frugal_ai.compress.student import Student
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.rung import Rung
from frugal_ai.ladder.seasonal_naive import SeasonalNaive


def students_of(rung: Rung) -> tuple[Student, ...]:
    """List the students of a chosen rung."""
    return (
        Mlp(units=8),
        Mlp(units=16),
        BasisRidge(rung="basis_ridge"),
        Boosting(
            rung="boosting",
            label="trees_100",
            trees=100,
            leaves=15,
            learning_rate=0.1,
            level=getattr(rung, "level", None),
        ),
    )


def naive_of(original: Original) -> Rung:
    """Return the rung that stands in where there is nothing to distil."""
    return SeasonalNaive(rung="seasonal_naive", season=timedelta(days=1))
