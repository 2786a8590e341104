"""What of a rung's settings may be searched, and how much a search may cost."""

from dataclasses import dataclass
from typing import Annotated, Self

from annotated_types import Ge, Gt
from pydantic import model_validator

from frugal_ai.settings import Settings


@dataclass(frozen=True)
class Range:
    """Values of one setting, both ends included; ``log`` spreads them by their ratio."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


class Tuning(Settings):
    """A search of a rung's settings.

    ``trials`` are tried first on a part of the history, the better ones on more of it; none is
    started once ``budget_cpu_s`` [CPU-s] or ``budget_g`` [gCO2e] is spent.
    """

    trials: Annotated[int, Ge(1)] = 20
    budget_cpu_s: Annotated[float, Gt(0)] | None = None
    budget_g: Annotated[float, Gt(0)] | None = None

    @model_validator(mode="after")
    def _some_budget(self) -> Self:
        if self.budget_cpu_s is None and self.budget_g is None:
            raise ValueError("expected budget_cpu_s or budget_g, got none")
        return self
