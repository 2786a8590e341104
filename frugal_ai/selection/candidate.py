"""A rung that stands for selection, and which costs are too close to tell apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from frugal_ai.backtest.compare import mean_error
from frugal_ai.backtest.metrics import FloatArray, OriginErrors
from frugal_ai.errors import CostError, DataError, PipelineError


@dataclass(frozen=True)
class Candidate:
    """A rung with its error on the origins of the comparison and its cost.

    Parameters
    ----------
    rung
        Name of the rung.
    errors
        Mean absolute error of each origin; the same origins for all candidates.
    co2e_g
        CO2e that the choice weighs [gCO2e].
    reported_g
        CO2e that sentences speak of [gCO2e], where the choice weighs a part of it.
    co2e_spread
        Relative spread of `co2e_g` from one measurement to the next [1].
    energy_wh, cpu_s, bytes
        Further costs that a budget may limit [Wh], [s], [bytes]; None where not measured.

    Raises
    ------
    DataError
        When the error is not known.
    CostError
        When a cost is not known or negative.
    """

    rung: str
    errors: OriginErrors
    co2e_g: float
    co2e_spread: float = 0.0
    reported_g: float | None = None
    energy_wh: float | None = None
    cpu_s: float | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.mae):
            raise DataError(f"choice: expected the error of rung {self.rung!r}, got {self.mae}")
        for name in ("co2e_g", "co2e_spread", "reported_g", "energy_wh", "cpu_s", "bytes"):
            cost = getattr(self, name)
            if cost is not None and not 0 <= cost < math.inf:
                where = f"{name} of rung {self.rung!r}"
                raise CostError(f"choice: expected a number of 0 or more for {where}, got {cost}")

    @property
    def grams(self) -> float:
        """CO2e as it is reported [gCO2e]."""
        return self.co2e_g if self.reported_g is None else self.reported_g

    @property
    def mae(self) -> float:
        """Mean absolute error, averaged over series [unit of the target]."""
        return mean_error(self.errors)


def check_candidates(candidates: Sequence[Candidate]) -> None:
    """Refuse to compare nothing, or two rungs of one name."""
    if not candidates:
        raise PipelineError("choice: expected at least one rung, got none")
    names = [candidate.rung for candidate in candidates]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PipelineError(f"choice: expected every rung once, got {twice[0]!r} twice")


def tied_costs(co2e: FloatArray, spread: FloatArray) -> FloatArray:
    """Give costs that cannot be told apart the same value.

    From the cheapest on, each cost gathers those above it that lie within the combined spread of
    two measurements, sqrt(2) times the root mean square of the rungs' spreads, and lends its value
    to them. One margin for all keeps the choice monotone: a rung never loses by getting cheaper.

    Parameters
    ----------
    co2e
        [n] [gCO2e].
    spread
        [n], relative [1].

    Returns
    -------
    FloatArray
        [n] [gCO2e].
    """
    margin = math.sqrt(2 * float(np.mean(spread**2)))
    tied = co2e.astype(np.float64)
    leader = -math.inf
    for index in np.argsort(co2e, kind="stable"):
        if co2e[index] > leader * (1 + margin):
            leader = float(co2e[index])
        tied[index] = leader
    return tied


def ladder_order(candidates: Sequence[Candidate]) -> tuple[list[Candidate], FloatArray]:
    """Sort from cheapest to dearest, tied costs by error; with the tied costs [n] [gCO2e]."""
    co2e = np.array([candidate.co2e_g for candidate in candidates])
    tied = tied_costs(co2e, np.array([candidate.co2e_spread for candidate in candidates]))
    mae = np.array([candidate.mae for candidate in candidates])
    order = np.lexsort((co2e, mae, tied))
    return [candidates[index] for index in order], tied[order]
