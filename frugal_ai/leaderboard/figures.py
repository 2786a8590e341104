"""Figures and circumstances as a reader sees them."""

import math

from frugal_ai.report import Circumstances

_METHODS = {
    "wall": "measured: wall meter",
    "rapl": "measured: RAPL",
    "pmic": "measured: power management chip",
    "cpu_time_model": "estimated: CPU-time model",
    "codecarbon": "estimated: CodeCarbon",
}
_WEATHER = {"perfect": "perfect weather", "as_known": "weather as known at the origin"}


def figure(value: float | None, digits: int = 3) -> str:
    """Write a number with at least so many significant digits: 0.0123, 12.3, 4,567, 1.23e-06."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{_decimals(value, digits)}f}"


def percent(share: float | None, interval: tuple[float, float] | None = None) -> str:
    """Write a share [1] in percent, with its interval to the same decimals: 49.6 [47.4, 51.9]."""
    if share is None:
        return "-"
    decimals = min(2, _decimals(100 * share, 3)) if share else 1
    value = f"{100 * share:,.{decimals}f}"
    if interval is None:
        return value
    low, high = (f"{100 * end:,.{decimals}f}" for end in interval)
    return f"{value} [{low}, {high}]"


def _decimals(value: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def method(name: str) -> str:
    """Say how energy was obtained."""
    return _METHODS.get(name, name)


def is_measured(name: str) -> bool:
    """Tell a measured energy from an estimated one."""
    return method(name).startswith("measured")


def described(circumstances: Circumstances, energy_spread: float | None = None) -> str:
    """Say in one sentence what a table's figures hold for."""
    spread = ""
    if energy_spread is not None:
        spread = f" (within a factor of {energy_spread:g}, the same for all rungs)"
    parts = [
        f"{circumstances.origins_test} test origins",
        circumstances.hardware,
        f"{method(circumstances.energy_method)}{spread}",
        f"{circumstances.country} {circumstances.intensity_g_per_kwh:g} gCO2e/kWh",
        f"PUE {circumstances.pue:g}",
    ]
    simulated = "SIMULATED DATA; " if circumstances.simulated else ""
    known = f"{weather(circumstances)}; " if weather(circumstances) else ""
    return simulated + known + "; ".join(parts)


def weather(circumstances: Circumstances) -> str:
    """Say how the weather ahead was known; nothing where no covariate is a forecast."""
    return _WEATHER.get(circumstances.weather or "", "")
