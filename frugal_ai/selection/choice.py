"""Which rung is worth its carbon, by the rule that the pipeline declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from frugal_ai.backtest.compare import Interval, Resamples, difference_interval
from frugal_ai.errors import PipelineError
from frugal_ai.selection import _wording as wording
from frugal_ai.selection.candidate import Candidate, check_candidates, ladder_order
from frugal_ai.selection.pareto import front
from frugal_ai.settings import Settings

_UNITS = {"co2e_g": "gCO2e", "energy_wh": "Wh", "cpu_s": "CPU-s", "bytes": "bytes"}

Carbon = Literal["training", "life_cycle"]
Limit = Annotated[float, Field(gt=0)]


class Budget(Settings):
    """Limits that the chosen rung keeps, all of those given."""

    co2e_g: Limit | None = None  # [gCO2e]
    energy_wh: Limit | None = None  # [Wh]
    cpu_s: Limit | None = None  # [s]
    bytes: Limit | None = None  # [bytes]

    @property
    def limits(self) -> dict[str, float]:
        """The limits given, by the name of the cost."""
        return self.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _some_limit(self) -> Self:
        if not self.limits:
            raise ValueError(f"expected at least one of {', '.join(_UNITS)}, got none")
        return self


class SelectionSettings(Settings):
    """The rule of the choice: the least CO2e among the not worse, a budget, or a price of error.

    Parameters
    ----------
    tolerance
        Relative error [1] above the smallest that is accepted on top of what chance explains.
    resamples
        Number of bootstrap resamples.
    budget
        Instead: the smallest error within these limits.
    price
        Instead: the least sum of CO2e and priced error [gCO2e per unit of MAE].
    carbon
        What counts: ``training`` with the forecasts that the cost section declares, or the
        ``life_cycle`` under the pipeline's fleet; by default the latter where there is a fleet.
    """

    tolerance: float = Field(default=0.0, ge=0)
    resamples: int = Field(default=2000, ge=100)
    budget: Budget | None = None
    price: float | None = Field(default=None, ge=0)
    carbon: Carbon | None = None

    @property
    def level(self) -> float:
        """Level of every interval [1]; one for all, so that a reader need not ask."""
        return 0.95

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.budget is not None and self.price is not None:
            raise ValueError("expected a budget or a price, got both")
        return self


@dataclass(frozen=True)
class Choice:
    """The chosen rung, and why, with what the next rung would have cost and brought."""

    rung: str
    reason: str


def choose(
    candidates: Sequence[Candidate],
    settings: SelectionSettings,
    resamples: Resamples,
    unit: str = "",
) -> Choice:
    """Choose a rung.

    Parameters
    ----------
    candidates
        The rungs, with their errors on the same origins: those of validation, never of the test.
    settings
        The rule. By default the least CO2e wins among the rungs that no other one dominates and
        whose error is not significantly above the smallest; of costs too close to tell apart the
        one with less error.
    resamples
        Shared by all comparisons.
    unit
        Unit of the target, for the sentence.

    Returns
    -------
    Choice
        With fewer than `compare.MIN_ORIGINS` origins no difference is significant: the cheapest
        rung is chosen by default, and the sentence says so.

    Raises
    ------
    PipelineError
        When no rung keeps the budget, or a rung's figure that it limits is not known.
    DataError
        When the rungs were not scored on the same targets.
    """
    check_candidates(candidates)
    ranked = ladder_order(candidates)[0]
    if settings.budget is not None:
        chosen, why = _within_budget(ranked, settings.budget, unit)
    elif settings.price is not None:
        chosen, why = _least_priced(ranked, settings.price, unit)
    else:
        chosen, why = _cheapest_not_worse(candidates, settings, resamples, unit)
    return Choice(chosen.rung, f"{why} {_next_rung(chosen, ranked, settings, resamples)}")


def _cheapest_not_worse(
    candidates: Sequence[Candidate], settings: SelectionSettings, resamples: Resamples, unit: str
) -> tuple[Candidate, str]:
    ranked, co2e = ladder_order(candidates)
    on_front = front(np.array([candidate.mae for candidate in ranked]), co2e)
    kept = [candidate for candidate, keep in zip(ranked, on_front, strict=True) if keep]
    best = min(candidates, key=lambda candidate: candidate.mae)
    for chosen in kept:  # the last one's error is that of the best
        gain = difference_interval(best.errors, chosen.errors, resamples, settings.level)
        if gain.high >= -settings.tolerance:
            break
    return chosen, _why_cheapest(chosen, kept, settings.tolerance, gain, unit)


def _why_cheapest(
    chosen: Candidate, kept: Sequence[Candidate], tolerance: float, gain: Interval, unit: str
) -> str:
    what = wording.described(chosen, unit)
    if len(kept) == 1:
        return f"{what} has the smallest error and no rung costs clearly less."
    if not gain.known:
        return f"{what} costs the least; there are too few origins to tell that others are better."
    margin = f" by more than {wording.percent(tolerance)}" if tolerance else ""
    best = kept[-1]
    if chosen is best:
        return (
            f"{what} has the smallest error; every rung of the Pareto front that costs less is "
            f"significantly worse{margin}."
        )
    return (
        f"{what} costs the least of the rungs of the Pareto front that are not significantly "
        f"worse{margin} than the one with the smallest error, {best.rung} "
        f"({wording.error(best, unit)})."
    )


def _within_budget(ranked: Sequence[Candidate], budget: Budget, unit: str) -> tuple[Candidate, str]:
    costs = {candidate.rung: _limited_costs(candidate, budget) for candidate in ranked}
    limits = budget.limits
    kept = [
        candidate
        for candidate in ranked
        if all(costs[candidate.rung][name] <= limit for name, limit in limits.items())
    ]
    if not kept:
        nearest = min(
            ranked, key=lambda one: max(costs[one.rung][name] / limits[name] for name in limits)
        )
        raise PipelineError(
            f"budget: expected a rung within {_amounts(limits)}, got none; the least that would be "
            f"needed is {_amounts(costs[nearest.rung])}, by {nearest.rung}"
        )
    chosen = min(kept, key=lambda candidate: candidate.mae)
    what = wording.described(chosen, unit)
    return chosen, f"{what} has the smallest error within the budget of {_amounts(limits)}."


def _limited_costs(candidate: Candidate, budget: Budget) -> dict[str, float]:
    costs = {name: getattr(candidate, name) for name in budget.limits}
    if "co2e_g" in costs:
        costs["co2e_g"] = candidate.grams  # what is reported, not the part that ranks
    for name, cost in costs.items():
        if cost is None:
            raise PipelineError(
                f"budget: {name} is limited, but that of rung {candidate.rung!r} is not known"
            )
    return costs


def _amounts(costs: dict[str, float]) -> str:
    return " and ".join(f"{wording.figure(cost)} {_UNITS[name]}" for name, cost in costs.items())


def _least_priced(ranked: Sequence[Candidate], price: float, unit: str) -> tuple[Candidate, str]:
    def total(candidate: Candidate) -> float:
        return candidate.grams + price * candidate.mae

    chosen = min(ranked, key=total)
    per = f"{wording.figure(price)} gCO2e per {unit or 'unit'} of MAE"
    what, sum_ = wording.described(chosen, unit), wording.mass(total(chosen))
    return chosen, f"{what} costs the least with error priced at {per}: {sum_} in all."


def _next_rung(
    chosen: Candidate,
    ranked: Sequence[Candidate],
    settings: SelectionSettings,
    resamples: Resamples,
) -> str:
    """Say what the cheapest rung with a smaller error would have cost and brought."""
    better = [candidate for candidate in ranked if candidate.mae < chosen.mae]
    if not better:
        return "No rung has a smaller error."
    other = better[0]
    gain = difference_interval(chosen.errors, other.errors, resamples, settings.level)
    times = f" ({wording.figure(other.grams / chosen.grams)} times)" if chosen.grams else ""
    return (
        f"The next rung, {other.rung}, would have cost {wording.mass(other.grams)}{times} and "
        f"brought {wording.percent(gain.value)} less error "
        f"({wording.interval(gain, settings.level)})."
    )
