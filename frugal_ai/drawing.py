"""How every picture is drawn: one style, the same bytes for the same content, SVG or PNG."""

import io
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its cache of fonts

DPI = 72
"""That of SVG, so that text stands where it was placed [pixels per inch]."""
_FINE = 2 * DPI  # of a PNG
_STYLE: Mapping[Any, Any] = {
    "svg.hashsalt": "frugal-ai",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with dollars is a name
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": DPI,
}
BLUE, VERMILLION, GREEN = "#0072b2", "#d55e00", "#009e73"  # Okabe and Ito
SKY = "#56b4e9"
GREY = "#666666"
WARNING = "#b00000"
_PATH = re.compile(r'<path [^>]*?\bd="[^"]*"')
_FINER = re.compile(r"-?\d+\.\d{2,}")  # a coordinate finer than anybody sees
_BLANK = re.compile(r"\s*\b([CLMQz])\b\s*")  # around the letters of a path
_GRID = "#e6e6e6"


@contextmanager
def style() -> Iterator[None]:
    """Draw alike everywhere, whatever a user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Open a figure of a size [inches] whose parts are laid out without overlap."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def grid(axes: Axes) -> None:
    """Draw light lines behind everything else."""
    axes.grid(visible=True, which="major", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def to_svg(drawn: Figure, title: str, description: str) -> str:
    """Write a figure as SVG text, byte-identical for the same figure; call it within `style`.

    Title and description are there for a reader who does not see the picture.
    """
    text = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(drawn)
    drawn.savefig(text, format="svg", metadata={**nothing, "Title": title})
    short = _PATH.sub(_shortened, text.getvalue())
    told = f"</title>\n <desc>{escape(description, quote=False)}</desc>"
    return short.replace("</title>", told, 1)


def _shortened(path: re.Match[str]) -> str:
    return _BLANK.sub(r"\1", _FINER.sub(_rounded, path[0]))


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def to_png(drawn: Figure, title: str, description: str) -> bytes:
    """Write a figure as PNG, title and description among its text; call it within `style`."""
    content = io.BytesIO()
    said = {"Title": title, "Description": description, "Software": None}
    FigureCanvasAgg(drawn)
    drawn.savefig(content, format="png", dpi=_FINE, metadata=said)
    return content.getvalue()
