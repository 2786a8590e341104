"""Where to write the names of points so that they cover nothing."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle [pixels]."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: "Box") -> float:
        """Return the common area [pixels squared]."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    @property
    def area(self) -> float:
        """Width times height [pixels squared]."""
        return (self.right - self.left) * (self.top - self.bottom)


@dataclass(frozen=True)
class Label:
    """A name to place beside a point [pixels]."""

    x: float
    y: float
    width: float
    height: float


_OUTSIDE = 100.0  # how much worse it is to stand outside than to cover something
_FAR = 0.15  # how much covered height a height of distance is worth
_DISTANCES = (1.0, 1.8, 2.8, 4.0, 5.5, 7.0)
_SIDES = ((1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1))


def place(labels: Sequence[Label], obstacles: Sequence[Box], frame: Box) -> list[Box]:
    """Place labels one after another, each where it covers least, near its point.

    Parameters
    ----------
    labels
        The most important first.
    obstacles
        What they should not cover.
    frame
        What they should stay in.
    """
    taken = list(obstacles)
    placed = []
    for label in labels:
        candidates = [_beside(label, side, distance) for distance in _DISTANCES for side in _SIDES]
        costs = [
            _cost(box, taken, frame, label.height * label.width) + _FAR * index // len(_SIDES)
            for index, box in enumerate(candidates)
        ]
        best = candidates[costs.index(min(costs))]
        taken.append(best)
        placed.append(best)
    return placed


def _cost(box: Box, taken: Sequence[Box], frame: Box, area: float) -> float:
    covered = sum(box.overlap(one) for one in taken)
    outside = box.area - box.overlap(frame)
    return (covered + _OUTSIDE * outside) / area


def _beside(label: Label, side: tuple[int, int], distance: float) -> Box:
    across, up = side
    x = label.x + across * 0.75 * label.height * (distance if up else 1.0)
    y = label.y + up * label.height * distance * (0.75 if across else 1.0)
    left = x if across > 0 else x - label.width if across < 0 else x - label.width / 2
    bottom = y - label.height / 2
    return Box(left, bottom, left + label.width, bottom + label.height)
