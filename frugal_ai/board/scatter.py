"""Error against carbon as SVG text: no library, no script, each point a link."""

from collections.abc import Callable, Sequence
from html import escape

from frugal_ai.board.axis import Axis, linear_axis, log_axis
from frugal_ai.board.filters import Filters
from frugal_ai.board.leads import metric_text
from frugal_ai.board.ranking import Board, Ranked
from frugal_ai.board.words import Words
from frugal_ai.leaderboard.figures import is_measured
from frugal_ai.leaderboard.labels import Box, Label, place
from frugal_ai.wording import scale

_SVG = "http://www.w3.org/2000/svg"
_WIDTH, _HEIGHT = 772, 410
_HEAD = 21  # of a line above [pixels]
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 748, 12, 326
_LOG_FROM = 3.0  # ratio of errors from which a linear axis would squeeze the best together
_DRAWN = 120  # models that are told apart on one picture
_NAMED = 14  # as many points have their names
_LETTER, _BOLD, _LINE = 6.7, 7.4, 14.0  # of a name [pixels]
_MARKER, _RING = 6.0, 11.0  # how far they reach around a point [pixels]
_THICK = 2.5  # of a line that names should not cover [pixels]
_NEAR = 1.2  # heights of a name, from which a line leads to its point
_SHAPES = {
    "naive": "m-5-5h10v10h-10z",
    "linear": "m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0",
    "boosting": "m0-6.5l6.2 11.2h-12.4z",
}
_OTHER = "m0-6.5l6.5 6.5l-6.5 6.5l-6.5-6.5z"

Where = Callable[[Ranked], str]


def scatter(
    board: Board,
    asked: Filters,
    words: Words,
    where: Where,
    style: str = "",
    head: Sequence[tuple[str, str]] = (),
) -> str:
    """Draw a board.

    Parameters
    ----------
    asked
        Error and carbon that are asked for.
    where
        Gives the address that a point leads to.
    style, head
        For a picture that stands alone: CSS, and the lines above it, each with its class.
    """
    points = drawn(board)
    if not points:
        return ""
    x, y = _axes(points)
    title, told = escape(words("scatter")), escape(words("scatter_desc"))
    parts = [
        f'<svg class="scatter" xmlns="{_SVG}" viewBox="{_view(len(head))}" role="group"',
        f'aria-labelledby="st sd"><title id="st">{title}</title><desc id="sd">{told}</desc>{style}',
        _head(head),
        _grid(x, y, words),
        _titles(board, asked, words),
        _front(points, x, y),
        *_bars(points, x, y),
        _ring(board, x, y),
        *(
            _point(one, board.group.key.unit, x, y, words, where)
            for one in _drawn_last(points, board)
        ),
        _names(points, board, x, y),
        _legend(points, words),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _view(lines: int) -> str:
    above = _HEAD * lines
    return f"0 {-above} {_WIDTH} {_HEIGHT + above}"


def _head(lines: Sequence[tuple[str, str]]) -> str:
    if not lines:
        return ""
    back = f'<rect class="back" y="{-_HEAD * len(lines)}" width="100%" height="100%"/>'
    return back + "".join(
        f'<text class="{name}" x="14" y="{_HEAD * (place - len(lines)) + 14}">{escape(text)}</text>'
        for place, (name, text) in enumerate(lines)
    )


def drawn(board: Board) -> list[Ranked]:
    """Return the models that are drawn: the front and, of the others, the latest."""
    known = [one for one in board.rows if one.error and one.grams]
    first = sorted(known, key=lambda one: not (one.on_front or one is board.recommended))
    return first[:_DRAWN]


def _axes(points: Sequence[Ranked]) -> tuple[Axis, Axis]:
    x = log_axis([one.grams or 1.0 for one in points], _LEFT + 10, _RIGHT, (0.04, 0.14))
    errors = [one.error or 1.0 for one in points]
    if max(errors) / min(errors) > _LOG_FROM:
        return x, log_axis(errors, _BOTTOM - 10, _TOP, (0.08, 0.06))
    return x, linear_axis(errors, _BOTTOM - 10, _TOP, 0.12)


def _at(one: Ranked, x: Axis, y: Axis) -> tuple[float, float]:
    return x.at(one.grams or 0.0), y.at(one.error or 0.0)


def _grid(x: Axis, y: Axis, words: Words) -> str:
    across = [(y.at(value), words.figure(value, 2)) for value in y.ticks()]
    along = [(x.at(value), _tick(value, words)) for value in x.ticks()]
    lines = "".join(f"M{_LEFT} {at:.1f}H{_RIGHT}" for at, _ in across)
    lines += "".join(f"M{at:.1f} {_TOP}V{_BOTTOM}" for at, _ in along)
    said = "".join(
        f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        for at, text in across
    )
    said += "".join(
        f'<text x="{at:.1f}" y="{_BOTTOM + 17}" text-anchor="middle">{escape(text)}</text>'
        for at, text in along
    )
    return f'<path class="grid" d="{lines}"/>{said}'


def _tick(grams: float, words: Words) -> str:
    size, unit = scale(grams)
    return f"{words.local(f'{grams / size:,.4g}')} {unit}"


def _titles(board: Board, asked: Filters, words: Words) -> str:
    key = board.group.key
    carbon = words(f"axis_{asked.scope}", forecasts=words.local(f"{key.forecasts:,}")) if (
        asked.scope == "life"
    ) else words(f"axis_{asked.scope}")  # fmt: skip
    if asked.scope == "life" and key.fleet:
        carbon = words("axis_fleet")
    relative = asked.metric in {"nmae", "mase"}
    unit = "1" if relative else key.unit
    error = words("axis_error", metric=metric_text(asked, words), unit=unit)
    middle = (_TOP + _BOTTOM) / 2
    return (
        f'<text class="axis" x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 38}" text-anchor="middle">'
        f"{escape(carbon)}</text>"
        f'<text class="axis" transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(error)}</text>"
    )


def _best(points: Sequence[Ranked]) -> list[Ranked]:
    return sorted((one for one in points if one.on_front), key=lambda one: one.grams or 0.0)


def _front(points: Sequence[Ranked], x: Axis, y: Axis) -> str:
    corners = [_at(one, x, y) for one in _best(points)]
    if not corners:
        return ""
    steps = "".join(f"H{left:.1f}V{top:.1f}" for left, top in corners[1:])
    start = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"
    return f'<path class="front" d="{start}{steps}H{_RIGHT}"/>'


def _bars(points: Sequence[Ranked], x: Axis, y: Axis) -> list[str]:
    """Draw the intervals of a family as one path."""
    found = []
    for family in dict.fromkeys(one.entry.row.family for one in points):
        path = ""
        for one in points:
            if one.entry.row.family != family:
                continue
            left, top = _at(one, x, y)
            if one.error_ci is not None:
                low, high = (y.at(end) for end in one.error_ci)
                path += f"M{left:.1f} {low:.1f}V{high:.1f}"
            if one.grams_ci is not None:
                low, high = (x.at(end) for end in one.grams_ci)
                path += f"M{low:.1f} {top:.1f}H{high:.1f}"
        if path:
            found.append(f'<path class="bars {_class(family)}" d="{path}"/>')
    return found


def _class(family: str) -> str:
    return family if family in _SHAPES else "other"


def _ring(board: Board, x: Axis, y: Axis) -> str:
    one = board.recommended
    if one is None or not (one.error and one.grams):
        return ""
    left, top = _at(one, x, y)
    return f'<circle class="ring" cx="{left:.1f}" cy="{top:.1f}" r="{_RING}"/>'


def _drawn_last(points: Sequence[Ranked], board: Board) -> list[Ranked]:
    """Put the recommended model above others; the keyboard goes from left to right."""
    return sorted(points, key=lambda one: (one is board.recommended, one.grams or 0.0))


def _point(one: Ranked, unit: str, x: Axis, y: Axis, words: Words, where: Where) -> str:
    row = one.entry.row
    left, top = _at(one, x, y)
    drawn = "" if is_measured(row.energy_method) else " est"
    said = f"{row.rung}: {words.figure(one.error, 4)} {unit}, {words.mass(one.grams)}"
    return (
        f'<a class="{_class(row.family)}{drawn}" href="{escape(where(one))}" '
        f'aria-label="{escape(said)}"><path d="M{left:.1f} {top:.1f}'
        f'{_SHAPES.get(row.family, _OTHER)}"/></a>'
    )


def _names(points: Sequence[Ranked], board: Board, x: Axis, y: Axis) -> str:
    """Write the names of the most telling points where they cover nothing."""
    order = sorted(
        points,
        key=lambda one: (one is not board.recommended, not one.on_front, one.error or 0.0),
    )[:_NAMED]
    labels = [_label(one, board, x, y) for one in order]
    frame = Box(_LEFT, _TOP, _RIGHT, _BOTTOM)
    barred = _barred(points, board, x, y)
    boxes = place(labels, _intervals(points, x, y), frame, barred)
    said, lines = "", ""
    kept: list[Box] = []
    for one, label, box in zip(order, labels, boxes, strict=True):
        outside = box.left < _LEFT or box.right > _RIGHT or box.bottom < _TOP or box.top > _BOTTOM
        if outside or any(box.overlap(other) > 0 for other in (*barred, *kept)):
            continue  # no place is free: its point says the name to pointer, keyboard and table
        kept.append(box)
        bold = ' class="chosen"' if one is board.recommended else ""
        text = escape(one.entry.row.rung)
        said += f'<text{bold} x="{box.left:.1f}" y="{box.top - 3.5:.1f}">{text}</text>'
        if box.gap(label.x, label.y) > _NEAR * label.height:
            to_x, to_y = box.nearest(label.x, label.y)
            lines += f"M{label.x:.1f} {label.y:.1f}L{to_x:.1f} {to_y:.1f}"
    led = f'<path class="lead" d="{lines}"/>' if lines else ""
    return f'{led}<g class="names" aria-hidden="true">{said}</g>'


def _label(one: Ranked, board: Board, x: Axis, y: Axis) -> Label:
    letter = _BOLD if one is board.recommended else _LETTER
    return Label(*_at(one, x, y), letter * len(one.entry.row.rung), _LINE)


def _barred(points: Sequence[Ranked], board: Board, x: Axis, y: Axis) -> list[Box]:
    """Return what no name covers: points, the ring, and the front to its end."""
    boxes = []
    for one in points:
        left, top = _at(one, x, y)
        reach = _RING if one is board.recommended else _MARKER
        boxes.append(Box(left - reach, top - reach, left + reach, top + reach))
    corners = [_at(one, x, y) for one in _best(points)]
    ends = [*corners[1:], (float(_RIGHT), corners[-1][1])] if corners else []
    for (left, top), (right, bottom) in zip(corners, ends, strict=True):
        boxes.append(Box(left, top - _THICK, right, top + _THICK))
        boxes.append(Box(right - _THICK, top, right + _THICK, bottom))
    return boxes


def _intervals(points: Sequence[Ranked], x: Axis, y: Axis) -> list[Box]:
    """Return what a name covers only where there is no other place."""
    boxes = []
    for one in points:
        left, top = _at(one, x, y)
        if one.error_ci is not None:
            ends = sorted(y.at(end) for end in one.error_ci)
            boxes.append(Box(left - _THICK, ends[0], left + _THICK, ends[1]))
        if one.grams_ci is not None:
            low, high = (x.at(end) for end in one.grams_ci)
            boxes.append(Box(low, top - _THICK, high, top + _THICK))
    return boxes


def _legend(points: Sequence[Ranked], words: Words) -> str:
    """Say what shapes mean; hollow and filled where there is either."""
    at, parts, top = float(_LEFT + 8), "", _HEIGHT - 14
    families = dict.fromkeys(one.entry.row.family for one in points)
    measured = {is_measured(one.entry.row.energy_method) for one in points}
    hollow = "" if measured == {True} else " est"
    items = [
        (f"{_class(one)}{hollow}", _SHAPES.get(one, _OTHER), words.of("family", one))
        for one in families
    ]
    kinds = [("", "filled")] if True in measured else []
    kinds += [(" est", "hollow")] if False in measured else []
    items += [(f"plain{kind}", _SHAPES["linear"], words(name)) for kind, name in kinds]
    for name, shape, text in items:
        parts += f'<path class="{name}" d="M{at:.0f} {top}{shape}"/>'
        parts += f'<text x="{at + 11:.0f}" y="{top + 4}">{escape(text)}</text>'
        at += 34 + _LETTER * len(text)
    parts += f'<path class="front" d="M{at - 6:.0f} {top - 4}h9v8h9"/>'
    parts += f'<text x="{at + 20:.0f}" y="{top + 4}">{escape(words("front"))}</text>'
    return f'<g class="legend">{parts}</g>'
