"""Was this rung worth it? A verdict on every rung of the ladder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from frugal_ai.backtest.compare import Interval, Resamples, difference_interval
from frugal_ai.selection.candidate import Candidate, check_candidates, ladder_order


@dataclass(frozen=True)
class Verdict:
    """What a rung gained over a cheaper one."""

    rung: str
    verdict: Literal["baseline", "worth it", "not proven", "dominated"]
    gain: Interval | None  # relative reduction of the MAE [1], None for the baseline
    over: str | None  # the rung that the gain is over, None for the baseline


def verdicts(
    candidates: Sequence[Candidate], resamples: Resamples, level: float = 0.95
) -> list[Verdict]:
    """Judge each rung, climbing from the cheapest to the dearest.

    Parameters
    ----------
    candidates
        The rungs, with their errors on the same origins.
    resamples
        Shared by all comparisons.
    level
        Level of the intervals [1].

    Returns
    -------
    list[Verdict]
        In the order given. The first rung that no other one dominates is the `baseline`. Another is
        `dominated` when a rung that costs no more has no larger error; the gain is over the best
        of those. Else it is `worth it` when its gain over the last rung that was worth it (or the
        baseline) is significant, and `not proven` otherwise: a step that is not proven is no
        step to stand on. Costs too close to tell apart count as equal.

    Raises
    ------
    DataError
        When the rungs were not scored on the same targets.
    """
    check_candidates(candidates)
    ranked = ladder_order(candidates)[0]
    lowest = standing = ranked[0]  # of ties, the one with less error comes first
    found = {lowest.rung: Verdict(lowest.rung, "baseline", None, None)}
    for candidate in ranked[1:]:
        dominated = candidate.mae >= lowest.mae
        over = lowest if dominated else standing
        gain = difference_interval(over.errors, candidate.errors, resamples, level)
        if dominated:
            found[candidate.rung] = Verdict(candidate.rung, "dominated", gain, over.rung)
            continue
        lowest = candidate
        worth_it = gain.low > 0
        found[candidate.rung] = Verdict(
            candidate.rung, "worth it" if worth_it else "not proven", gain, over.rung
        )
        standing = candidate if worth_it else standing
    return [found[candidate.rung] for candidate in candidates]
