"""The style of a picture that stands alone: no variables, which few programs but browsers know."""

from functools import cache
from string import Template

_LIGHT = {
    "ink": "#1b1f24", "soft": "#56606b", "line": "#d9dee4", "paper": "#fff", "mark": "#0b6b4f",
    "warn": "#a3160b", "naive": "#666", "linear": "#0072b2", "boosting": "#c24f00",
    "other": "#0b7f5c", "plain": "#1b1f24",
}  # fmt: skip
_DARK = {
    "ink": "#e7eaee", "soft": "#a4aeb9", "line": "#343b44", "paper": "#14171b", "mark": "#57d0a3",
    "warn": "#ff9d8f", "naive": "#a9a9a9", "linear": "#5fb8ee", "boosting": "#ff9b57",
    "other": "#4fd0a5", "plain": "#e7eaee",
}  # fmt: skip
_FAMILIES = ("naive", "linear", "boosting", "other", "plain")
_SHAPES = (
    "svg{font:12px system-ui,sans-serif}.axis{font-size:13px}.chosen,.flag{font-weight:700}"
    ".grid,.front,.bars,.ring,.lead{fill:none}.front{stroke-width:1.5;stroke-dasharray:5 3}"
    ".lead{stroke-width:.7}.bars{stroke-width:1.6;opacity:.5}.ring{stroke-width:2.5}"
)
_COLOURS = Template(
    "svg{background:$paper}.back{fill:$paper}text{fill:$ink}.flag{fill:$warn}.grid{stroke:$line}"
    ".front,.lead{stroke:$soft}.ring{stroke:$mark}"
)
_FAMILY = Template(
    ".$name path,.legend .$name{fill:$colour;stroke:$colour;stroke-width:1.8}"
    ".bars.$name{stroke:$colour}"
)
_HOLLOW = Template(".est path,.legend .est.est{fill:$paper}")


@cache
def svg_style() -> str:
    """Return the style; it has no sign that XML would escape."""
    return f"{_SHAPES}{_rules(_LIGHT)}@media(prefers-color-scheme:dark){{{_rules(_DARK)}}}"


def _rules(colours: dict[str, str]) -> str:
    families = (_FAMILY.substitute(name=name, colour=colours[name]) for name in _FAMILIES)
    return f"{_COLOURS.substitute(colours)}{''.join(families)}{_HOLLOW.substitute(colours)}"
