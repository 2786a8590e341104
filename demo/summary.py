"""What came of it, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from frugal_edge.quality import Quality

from demo.feeder import Feeder
from demo.spectator import Arrival


@dataclass(frozen=True)
class Line:
    """The forecasts of one quality.

    Attributes
    ----------
    forecasts
        How many arrived.
    values
        How many of their values lay ahead when they were issued, and have a reading by now.
    mae
        Mean absolute error of those [MW].
    """

    quality: Quality
    forecasts: int
    values: int
    mae: float


def lines(arrivals: Sequence[Arrival], feeder: Feeder, until: int) -> list[Line]:
    """Hold forecasts against the readings up to a time [unix s]."""
    found = []
    for quality in Quality:
        of_it = [one.issued for one in arrivals if one.issued.quality is quality]
        errors = []
        for issued in of_it:
            ahead = (issued.times >= issued.issued_at) & (issued.times < until)
            if len(issued.values):
                errors.append(np.abs(issued.values - feeder.came(issued.times))[ahead])
        all_errors = np.concatenate(errors) if errors else np.empty(0)
        mae = float(all_errors.mean()) if len(all_errors) else float("nan")
        if of_it:
            found.append(Line(quality, len(of_it), len(all_errors), mae))
    return found
