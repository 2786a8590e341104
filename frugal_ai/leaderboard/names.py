"""Names beside the points of a picture, with a line to those that stand far."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from frugal_ai.leaderboard.labels import Box, Label, place

_NEAR = 1.2  # heights of a label, from which a line leads to its point


@dataclass(frozen=True)
class Name:
    """The name of a point."""

    text: str
    at: tuple[float, float]  # [units of the axes]
    colour: str
    bold: bool = False


def write_names(axes: Axes, names: Sequence[Name], obstacles: Sequence[Box]) -> None:
    """Write each name near its point, the first ones nearest; sizes must be known by then.

    Parameters
    ----------
    obstacles
        What names should not cover [pixels].
    """
    texts = [
        axes.annotate(
            name.text,
            name.at,
            (0.0, 0.0),
            xycoords="data",
            textcoords="offset points",
            ha="left",
            va="bottom",
            fontsize=8,
            fontweight="bold" if name.bold else "normal",
            color=name.colour,
        )
        for name in names
    ]
    frame = axes.get_window_extent()
    middles = [axes.transData.transform(name.at) for name in names]
    sizes = [text.get_window_extent() for text in texts]
    labels = [
        Label(x, y, size.width, size.height) for (x, y), size in zip(middles, sizes, strict=True)
    ]
    boxes = place(labels, list(obstacles), Box(frame.x0, frame.y0, frame.x1, frame.y1))
    axes.set_autoscale_on(False)
    for name, text, box, label in zip(names, texts, boxes, labels, strict=True):
        text.set_position((box.left - label.x, box.bottom - label.y))
        if box.gap(label.x, label.y) > _NEAR * label.height:
            end = axes.transData.inverted().transform(box.nearest(label.x, label.y))
            axes.plot(*zip(name.at, end, strict=True), color=name.colour, linewidth=0.6, zorder=1)
