"""Conversions between the units of energy and carbon that the project speaks."""

J_PER_WH = 3600.0
J_PER_KWH = 3.6e6


def wh(joules: float) -> float:
    """Convert energy [J] to [Wh]."""
    return joules / J_PER_WH


def kwh(joules: float) -> float:
    """Convert energy [J] to [kWh]."""
    return joules / J_PER_KWH


def gco2e(joules: float, intensity_g_per_kwh: float, pue: float = 1.0) -> float:
    """Convert energy [J] to emissions [gCO2e].

    Parameters
    ----------
    joules
        Energy at the machine [J].
    intensity_g_per_kwh
        Carbon intensity of the electricity [gCO2e/kWh].
    pue
        Power usage effectiveness of the site, >= 1.
    """
    return kwh(joules) * pue * intensity_g_per_kwh
