"""Figures as sentences write them."""

_MASSES = ((1e6, "t"), (1e3, "kg"), (1.0, "g"), (1e-3, "mg"), (1e-6, "µg"))


def figure(value: float) -> str:
    """Write three significant digits, without an exponent: 0.0123, 12.3, 12,300."""
    if value == 0 or abs(value) >= 999.5:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.3g}"


def scale(grams: float) -> tuple[float, str]:
    """Return the unit that suits emissions [gCO2e]: how many grams it is, and its symbol."""
    least = _MASSES[-1] if grams else (1.0, "g")
    return next((one for one in _MASSES if abs(grams) >= 0.9995 * one[0]), least)


def mass(grams: float) -> str:
    """Write emissions [gCO2e] in the unit that suits them, from µgCO2e to tCO2e."""
    size, unit = scale(grams)
    return f"{figure(grams / size)} {unit}CO2e"


def percent(share: float) -> str:
    """Write a share [1] in percent with one decimal."""
    return f"{100 * share:.1f} %"
