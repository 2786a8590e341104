"""EcoIndex of a page: 100 for nothing at all, from its elements, requests and transferred bytes.

The formula and its tables, quantiles of half a million pages of the HTTP Archive, are those that
the GreenIT collective publishes for EcoIndex (ecoindex.fr; computeEcoIndex in
cnumr/GreenIT-Analysis, in its version with grade A above 80). Elements inside of an SVG picture do
not count there.
"""

from bisect import bisect_right

ELEMENTS = (
    0, 47, 75, 159, 233, 298, 358, 417, 476, 537, 603, 674, 753, 843, 949, 1076, 1237, 1459, 1801,
    2479, 594601,
)  # fmt: skip
REQUESTS = (
    0, 2, 15, 25, 34, 42, 49, 56, 63, 70, 78, 86, 95, 105, 117, 130, 147, 170, 205, 281, 3920,
)  # fmt: skip
KILOBYTES = (
    0, 1.37, 144.7, 319.53, 479.46, 631.97, 783.38, 937.91, 1098.62, 1265.47, 1448.32, 1648.27,
    1876.08, 2142.06, 2465.37, 2866.31, 3401.59, 4155.73, 5400.08, 8037.54, 223212.26,
)  # fmt: skip


def ecoindex(elements: int, requests: int, kilobytes: float) -> float:
    """Return the score; grade A is above 80."""
    places = (
        3 * _place(elements, ELEMENTS)
        + 2 * _place(requests, REQUESTS)
        + _place(kilobytes, KILOBYTES)
    )
    return 100 - 5 * places / 6


def _place(value: float, quantiles: tuple[float, ...]) -> float:
    """Return where a value stands among quantiles, from 0 to 20."""
    above = bisect_right(quantiles, value)
    if above == len(quantiles):
        return float(above - 1)
    low, high = quantiles[above - 1], quantiles[above]
    return above - 1 + (value - low) / (high - low)
