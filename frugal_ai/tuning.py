"""Better settings for a rung, searched under a budget: every trial is on its bill.

Successive halving (Jamieson and Talwalkar 2016, Non-stochastic best arm identification and
hyperparameter optimization) over settings that a tree-structured Parzen estimator proposes
(Bergstra et al. 2011, Algorithms for hyper-parameter optimization).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from frugal_ai.cost.context import Cost
from frugal_ai.ladder._search import Range, Tuning
from frugal_ai.ladder.rung import Rung
from frugal_ai.report import TuningReport

KEPT = 3
"""One in so many settings goes on to the next level."""

Attempt = Callable[[Rung, int], tuple[float, Cost]]
"""Tries a rung on one in so many weeks: its error on validation origins, and what that cost."""


@dataclass(frozen=True)
class Tuned:
    """A rung with the settings that were found; no bill where nothing was searched."""

    rung: Rung
    bill: TuningReport | None = None


def tune(rung: Rung, tuning: Tuning, shares: Sequence[int], seed: int, attempt: Attempt) -> Tuned:
    """Search the settings that a rung offers; the declared ones are tried, too.

    Parameters
    ----------
    shares
        Levels of the halving: learn from one in so many weeks, descending. Each level may use its
        share of the budget, and what those before it left.
    seed
        Of the proposals.

    Returns
    -------
    Tuned
        The settings with the least error at the highest level that was reached.
    """
    bill = _Bill(tuning)
    scored = _first_level(rung, tuning, shares[0], bill.until(1 / len(shares)), seed, attempt)
    for level, share in enumerate(shares[1:], start=2):
        ranked = [one for _, one in sorted(scored, key=lambda pair: pair[0])]
        going_on = ranked[: ceil(len(ranked) / KEPT)]
        if rung not in going_on:
            going_on.insert(1, rung)  # the search must beat it, on more than a part
        limited = bill.until(level / len(shares))
        found = [(limited.run(attempt, one, share), one) for one in limited.while_left(going_on)]
        scored = found or scored
    best = min(scored, key=lambda pair: pair[0])[1] if scored else rung
    return Tuned(best, bill.report)


def _first_level(
    rung: Rung, tuning: Tuning, share: int, bill: "_Limited", seed: int, attempt: Attempt
) -> list[tuple[float, Rung]]:
    import optuna  # 0.2 s, for those who search

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    scored = []
    for number in bill.while_left(range(tuning.trials)):
        if number == 0:
            scored.append((bill.run(attempt, rung, share), rung))
            continue
        trial = study.ask()
        update = {name: _proposed(trial, name, one) for name, one in rung.search.items()}
        other = rung.model_copy(update=update)
        error = bill.run(attempt, other, share)
        study.tell(trial, error)
        scored.append((error, other))
    return scored


def _proposed(trial: Any, name: str, of: Range) -> float:
    if of.whole:
        return int(trial.suggest_int(name, int(of.low), int(of.high), log=of.log))
    return float(trial.suggest_float(name, of.low, of.high, log=of.log))


@dataclass
class _Bill:
    """What the trials cost so far."""

    tuning: Tuning
    trials: int = 0
    cpu_s: float = 0.0
    co2e_g: float = 0.0

    def until(self, share: float) -> "_Limited":
        """Return the bill with a share of the budget."""
        return _Limited(self, share)

    @property
    def report(self) -> TuningReport:
        return TuningReport(trials=self.trials, cpu_s=self.cpu_s, co2e_g=self.co2e_g)


@dataclass(frozen=True)
class _Limited:
    bill: _Bill
    share: float

    def while_left(self, items: Any) -> Iterator[Any]:
        """Yield items until the share of the budget is spent."""
        for item in items:
            if self._spent():
                return
            yield item

    def _spent(self) -> bool:
        bill, tuning = self.bill, self.bill.tuning
        limits = ((tuning.budget_cpu_s, bill.cpu_s), (tuning.budget_g, bill.co2e_g))
        return any(limit is not None and cost >= self.share * limit for limit, cost in limits)

    def run(self, attempt: Attempt, rung: Rung, share: int) -> float:
        """Try a rung and put it on the bill."""
        error, cost = attempt(rung, share)
        self.bill.trials += 1
        self.bill.cpu_s += cost.cpu_s
        self.bill.co2e_g += cost.co2e_g
        return error
