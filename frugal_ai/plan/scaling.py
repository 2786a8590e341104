"""What work of another size takes: cost in proportion to rows x features^p."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from frugal_ai.cost.ledger import Size

ASSUMED_EXPONENT = 1.0
"""Of features, where all that is known had the same number."""

_MOST = 2.0  # normal equations; nothing of the ladder grows faster


@dataclass(frozen=True)
class Point:
    """What work took once.

    Attributes
    ----------
    size
        Of what was learnt from.
    cpu_s, wall_s
        CPU time and wall time [s].
    """

    size: Size
    cpu_s: float
    wall_s: float


def exponent(points: Sequence[Point]) -> float | None:
    """Fit p of cpu_s ~ rows x features^p by least squares of logarithms, within 0 and 2.

    Returns
    -------
    float | None
        None where all points have the same number of features.
    """
    usable = [one for one in points if one.cpu_s > 0]
    x = [math.log(one.size.features) for one in usable]
    if len(set(x)) < 2:
        return None
    y = [math.log(one.cpu_s / one.size.rows) for one in usable]
    mean_x, mean_y = fmean(x), fmean(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum(
        (a - mean_x) ** 2 for a in x
    )
    return min(max(slope, 0.0), _MOST)


def scaled(points: Sequence[Point], size: Size, power: float) -> Point:
    """Return what work of a size takes: the median of what each point says."""
    ratios = [
        size.rows / one.size.rows * (size.features / one.size.features) ** power for one in points
    ]
    pairs = list(zip(points, ratios, strict=True))
    return Point(
        size=size,
        cpu_s=median(one.cpu_s * ratio for one, ratio in pairs),
        wall_s=median(one.wall_s * ratio for one, ratio in pairs),
    )
