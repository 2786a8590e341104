"""A board for other programs: CSV, JSON, a picture, a badge."""

import csv
import io
import json
from html import escape

from frugal_ai.board.board_page import title_of
from frugal_ai.board.filters import Filters
from frugal_ai.board.leads import metric_text
from frugal_ai.board.links import Links
from frugal_ai.board.ranking import Board, Ranked, ordered
from frugal_ai.board.scatter import scatter
from frugal_ai.board.standalone import svg_style
from frugal_ai.board.words import Words
from frugal_ai.leaderboard.rows import to_csv

_OWN = (
    "energy_rank", "energy_tied", "error_rank", "error_tied", "on_front", "recommended", "error",
    "error_lo", "error_hi", "lead_from_s", "lead_to_s",
    "stated_g", "stated_training_g", "stated_g_per_1000", "stated_intensity_g_per_kwh",
    "stated_pue", "gain_per_g", "g_per_year", "failed_gates",
)  # fmt: skip


def board_json(board: Board, asked: Filters) -> str:
    """Write a board as one JSON object; what is not known is null."""
    key, stated = board.group.key, board.stated
    found = {
        "asked": asked.query(),
        "metric": asked.metric,
        "lead": {"from_s": asked.lead[0], "to_s": asked.lead[1]} if asked.lead else None,
        "scope": asked.scope,
        "group": key.short,
        "stated": {
            "country": stated.country or None,
            "intensity_g_per_kwh": stated.intensity,
            "pue": stated.pue,
            "recomputed": not stated.own,
        },
        "models": [
            {**one.entry.whole_row.model_dump(mode="json"), **_own(one, board, asked)}
            for one in ordered(board.rows, asked)
        ],
    }
    return json.dumps(found, indent=1)


def board_csv(board: Board, asked: Filters) -> str:
    """Write a board as comma-separated values: a leaderboard's columns, and those of the board."""
    rows = ordered(board.rows, asked)
    plain = list(csv.reader(io.StringIO(to_csv([one.entry.whole_row for one in rows]))))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*map(_safe, plain[0]), *_OWN])
    for cells, one in zip(plain[1:], rows, strict=True):
        own = _own(one, board, asked)
        writer.writerow([*map(_safe, cells), *(_cell(own[name]) for name in _OWN)])
    return text.getvalue()


def _own(one: Ranked, board: Board, asked: Filters) -> dict[str, object]:
    low, high = one.error_ci or (None, None)
    start, end = asked.lead or (None, None)
    return {
        "energy_rank": one.energy_rank,
        "energy_tied": one.energy_tied,
        "error_rank": one.error_rank,
        "error_tied": one.error_tied,
        "on_front": one.on_front,
        "recommended": one is board.recommended,
        "error": one.error,
        "error_lo": low,
        "error_hi": high,
        "lead_from_s": start,
        "lead_to_s": end,
        "stated_g": one.grams,
        "stated_training_g": one.training_g,
        "stated_g_per_1000": one.use_g,
        "stated_intensity_g_per_kwh": board.stated.intensity,
        "stated_pue": board.stated.pue,
        "gain_per_g": one.gain_per_g,
        "g_per_year": one.entry.g_per_year,
        "failed_gates": list(one.entry.run.failed_gates) if one.entry.row.chosen else [],
    }


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return _safe("; ".join(value))
    return value


def _safe(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    signs = text[:1] in {"=", "+", "@", "\t", "\r"} or (text[:1] == "-" and not _number(text))
    return f"'{text}" if signs else text


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def board_svg(board: Board, asked: Filters, words: Words, links: Links) -> str:
    """Draw a board as a picture that stands alone: with its title, warnings and style sheet."""
    css = f"<style>{escape(svg_style(), quote=False)}</style>"
    key = board.group.key
    flags = {"simulated": key.simulated, "perfect_weather": key.weather == "perfect"}
    warned = " · ".join(words(name) for name, holds in flags.items() if holds)
    head = [("chosen", title_of(board.group)), *([("flag", warned)] if warned else [])]
    return scatter(board, asked, words, lambda one: links.model(one.entry), css, head)


_LETTER, _PAD = 6.3, 10.0


def badge(board: Board, asked: Filters, words: Words) -> str:
    """Draw the recommended model with its error and carbon as a badge."""
    one = board.recommended
    left = board.group.key.pipeline
    right = words("none_recommended")
    if one is not None:
        error = f"{metric_text(asked, words)} {words.figure(one.error)}"
        unit = "" if asked.metric in {"nmae", "mase"} else f" {one.entry.row.unit}"
        right = f"{one.entry.row.rung} · {error}{unit} · {words.mass(one.grams)}"
        if board.group.key.simulated:
            right += f" · {words('flag_simulated')}"
        if one.entry.run.failed_gates:
            right += f" · {words('gate_flag')}"
    widths = [len(text) * _LETTER + 2 * _PAD for text in (left, right)]
    total = sum(widths)
    said = escape(f"{left}: {right}")
    middles = (widths[0] / 2, widths[0] + widths[1] / 2)
    texts = "".join(
        f'<text x="{at:.1f}" y="15" text-anchor="middle">{escape(text)}</text>'
        for at, text in zip(middles, (left, right), strict=True)
    )
    start, end = widths[0], total - 4
    value = f"M{start:.1f} 0H{end:.1f}a4 4 0 0 1 4 4v14a4 4 0 0 1-4 4H{start:.1f}z"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:.0f}" height="22" role="img" '
        f'aria-label="{said}"><title>{said}</title>'
        f'<rect width="{total:.0f}" height="22" rx="4" fill="#3d444d"/>'
        f'<path d="{value}" fill="#0b6b4f"/>'
        f'<g fill="#fff" font-family="system-ui,sans-serif" font-size="12">{texts}</g></svg>'
    )
