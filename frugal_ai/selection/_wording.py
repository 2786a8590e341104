"""Figures as the sentences of a choice write them."""

from frugal_ai.backtest.compare import Interval
from frugal_ai.selection.candidate import Candidate

_MASSES = ((1e6, "t"), (1e3, "kg"), (1.0, "g"), (1e-3, "mg"), (1e-6, "µg"))


def figure(value: float) -> str:
    """Write three significant digits, without an exponent: 0.0123, 12.3, 12,300."""
    if value == 0 or abs(value) >= 999.5:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.3g}"


def mass(grams: float) -> str:
    """Write emissions [gCO2e] in the unit that suits them, from µgCO2e to tCO2e."""
    for size, unit in _MASSES:
        if grams >= 0.9995 * size:
            return f"{figure(grams / size)} {unit}CO2e"
    return f"{figure(grams)} gCO2e"


def percent(share: float) -> str:
    """Write a share [1] in percent with one decimal."""
    return f"{100 * share:.1f} %"


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
