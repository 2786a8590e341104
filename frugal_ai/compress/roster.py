"""Which students are tried on which kind of rung, smallest first."""

from collections.abc import Mapping

from frugal_ai.compress.lean import Lean
from frugal_ai.compress.mlp import Mlp
from frugal_ai.compress.student import Student
from frugal_ai.ladder.basis_ridge import BasisRidge
from frugal_ai.ladder.residual_boosting import ResidualBoosting
from frugal_ai.ladder.rung import Rung
from frugal_ai.recipes import Kind

PRUNED_TREES = (50, 100)
"""Trees that are left of a chosen rung's, cut to 15 leaves each."""
PRUNED_LEAVES = 15

_TOLERANCE: Mapping[Kind, float] = {"load": 0.001, "intensity": 0.001, "pv": 0.005, "wind": 0.005}
"""Of leaving out features: what is not production leaves students less to spare."""


def students_of(rung: Rung, kind: Kind) -> tuple[Student, ...]:
    """List the students of a chosen rung.

    A linear rung costs next to nothing to train, and little is tried on it: a perceptron that does
    without the basis, and its weights in fewer directions, which takes no training.
    """
    small = Mlp(label="mlp_8_features", reads="features", linear=4)
    lean = Lean(label="lean_8", mlp=Mlp(linear=4), tolerance=_TOLERANCE[kind])
    if rung.family == "linear":
        return (small, Mlp(label="low_rank_8", units=0, epochs=0, seeds=1))
    # what splines and products say of the weather, units have to learn; with the one that linear
    # units share they are 16, which fill the registers of small processors and large ones
    some = Lean(
        label="lean_8_8",
        mlp=Mlp(units=8, linear=7, epochs=60, seeds=1),
        tolerance=_TOLERANCE[kind],
    )
    many = Lean(label="lean_24", mlp=Mlp(units=24, epochs=60, seeds=1), tolerance=_TOLERANCE[kind])
    common: tuple[Student, ...] = (many, Mlp(), Mlp(units=16))
    if kind in {"load", "intensity"}:
        return (lean, small, some, Mlp(units=0), *common, BasisRidge())
    if kind == "wind":
        trees = ResidualBoosting(label="ridge_50_trees", trees=50, leaves=15)
        return (lean, small, some, *common, trees)
    return (lean, small, some, *common)
