"""Figures as the sentences of a choice write them."""

from frugal_ai.backtest.compare import Interval
from frugal_ai.selection.candidate import Candidate
from frugal_ai.wording import figure, mass, percent

__all__ = ["described", "error", "figure", "interval", "mass", "percent"]


def error(candidate: Candidate, unit: str) -> str:
    """Write a rung's MAE with the unit of the target."""
    return f"MAE {figure(candidate.mae)} {unit}".rstrip()


def described(candidate: Candidate, unit: str) -> str:
    """Write a rung with its error and its CO2e."""
    return f"{candidate.rung} ({error(candidate, unit)}, {mass(candidate.grams)})"


def interval(gain: Interval, level: float) -> str:
    """Write how sure a relative gain is."""
    if not gain.known:
        return "too few origins to tell how sure that is"
    verdict = "" if gain.low > 0 else ", not proven"
    return f"{100 * level:g} % interval {100 * gain.low:.1f} to {percent(gain.high)}{verdict}"
