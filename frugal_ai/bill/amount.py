"""What a line of a bill comes to, for one case or for many scenarios at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Value = float | npt.NDArray[np.float64]
"""A number, or one for each scenario [N]."""


@dataclass(frozen=True)
class Amount:
    """Electricity [kWh], emissions [gCO2e] and money [EUR]; NaN for a price that is not known."""

    kwh: Value = 0.0
    gco2e: Value = 0.0
    eur: Value = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.kwh + other.kwh, self.gco2e + other.gco2e, self.eur + other.eur)


def total(amounts: "list[Amount] | tuple[Amount, ...]") -> Amount:
    """Add amounts up."""
    return sum(amounts, Amount())
