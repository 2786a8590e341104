"""Where to write the names of points so that they cover nothing and nobody mistakes them."""

import math
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

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the rectangle that is nearest to another point."""
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)

    def gap(self, x: float, y: float) -> float:
        """Return the distance to a point, 0 inside [pixels]."""
        return math.dist(self.nearest(x, y), (x, y))


@dataclass(frozen=True)
class Label:
    """A name to place beside a point [pixels]."""

    x: float
    y: float
    width: float
    height: float


_REACH = 8  # rows of text that a label may stand above or below its point
_BESIDE = 0.3  # heights of a label that one above or below its point stands beside it
_OUTSIDE = 100.0  # how much worse it is to stand outside than to cover something
_TOUCHING = 100.0  # what it costs to touch another name, be it by a hair
_CROSSING = 2.0  # what it costs to touch what should not be covered
_FAR = 0.1  # what a height of distance costs, in covered labels
_AMBIGUOUS = 0.5  # what it costs to stand nearer to another point than to one's own


def place(
    labels: Sequence[Label], obstacles: Sequence[Box], frame: Box, barred: Sequence[Box] = ()
) -> list[Box]:
    """Place labels one after another, each where it covers least and near its point.

    Parameters
    ----------
    labels
        The most important first.
    obstacles
        What they should not cover.
    frame
        What they should stay in.
    barred
        What is as bad to touch as another name.
    """
    placed: list[Box] = []
    for label in labels:
        others = [(one.x, one.y) for one in labels if one != label]
        best, least = None, math.inf
        for box in _candidates(label):
            cost = _misleading(box, label, others)
            if cost < least:  # the nearest are first, so most of the others are never looked at
                cost += _covered(box, obstacles, [*placed, *barred], frame)
            if cost < least:
                best, least = box, cost
        if best is not None:
            placed.append(best)
    return placed


def _candidates(label: Label) -> list[Box]:
    """Return places beside, above and below the point, the nearest first."""
    height, width = label.height, label.width
    boxes = []
    for row in sorted((half / 2 for half in range(-2 * _REACH, 2 * _REACH + 1)), key=abs):
        aside = height
        lefts = [label.x + aside, label.x - aside - width]
        if abs(row) >= 1:
            near = _BESIDE * height  # not on the line that may go through the point
            lefts += [label.x + near, label.x - near - width]
            lefts += [label.x - part * width for part in (0.25, 0.5, 0.75)]
        bottom = label.y + (row - 0.5) * height
        boxes += [Box(left, bottom, left + width, bottom + height) for left in lefts]
    return boxes


def _covered(box: Box, obstacles: Sequence[Box], names: Sequence[Box], frame: Box) -> float:
    area = (box.right - box.left) * (box.top - box.bottom)
    outside = 1.0 - box.overlap(frame) / area
    covered = sum(
        box.overlap(one)
        for one in obstacles
        if one.left < box.right and box.left < one.right  # most stand elsewhere
    )
    named = sum(box.overlap(one) for one in names)
    touched = _CROSSING * (covered > 0) + _TOUCHING * (named > 0)
    return (covered + named) / area + _OUTSIDE * outside + touched


def _misleading(box: Box, label: Label, others: Sequence[tuple[float, float]]) -> float:
    own = box.gap(label.x, label.y) / label.height
    row = abs((box.bottom + box.top) / 2 - label.y) / label.height
    nearest = min((box.gap(x, y) / label.height for x, y in others), default=math.inf)
    return _FAR * (own + row) + _AMBIGUOUS * max(0.0, own + 0.5 - nearest)
