"""The page of a board: headline, filters, picture, table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from frugal_ai.board.filters import PER_PAGE, Filters, Metric, Runs, Scope, band_text
from frugal_ai.board.groups import Group, shown, wanted
from frugal_ai.board.headline import headline
from frugal_ai.board.leads import known_leads, lead_text
from frugal_ai.board.links import Links
from frugal_ai.board.ranking import Board, Ranked, ordered, rank
from frugal_ai.board.render import own, render, script, style
from frugal_ai.board.scatter import drawn, scatter
from frugal_ai.board.store import Snapshot
from frugal_ai.board.table import SHORT, Table, anchor
from frugal_ai.board.variants import Picks
from frugal_ai.board.words import LANGUAGES, Words
from frugal_ai.leaderboard.figures import is_measured, method

_TABS = 8  # as many pipelines stand at the top; of more there is a list
_OTHERS = 10  # as many groups that may not be compared are named


@dataclass(frozen=True)
class Frame:
    """What is around every page.

    Attributes
    ----------
    visitor
        HTML of who is there; empty without accounts.
    lang
        Language that the address asks for; empty where the browser's counts.
    decision
        Says what was decided on a run, by its identity; empty where nothing is known.
    policy
        What a browser may load, said by the page itself; empty where a server says it.
    """

    words: Words
    links: Links
    visitor: str = ""
    lang: str = ""
    decision: Callable[[str], str] = lambda _: ""
    policy: str = ""


@dataclass(frozen=True)
class Choice:
    """A list to choose from: value, text, and whether it is chosen now."""

    label: str
    name: str
    options: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True)
class Pages:
    """Which part of a long table is shown, and where the others are."""

    said: str
    previous: str
    next: str


def board_page(
    found: Snapshot, asked: Filters, frame: Frame, picks: Sequence[Picks] | None = None
) -> str:
    """Write the page of the first group that is asked for.

    Parameters
    ----------
    picks
        Links to the pages that there are, where no server can be asked for others.
    """
    words, form = frame.words, picks is None
    groups = wanted(found.groups, asked)
    if not groups:
        key = "no_match" if found.groups else "empty"
        return message(
            found, asked, frame, words(key), words(f"{key}_how"), back=bool(found.groups)
        )
    board = rank(groups[0], asked)
    rows = ordered(board.rows, asked)
    size = PER_PAGE if form else max(len(rows), 1)  # files have no further page
    first = min(size * (asked.page - 1), size * ((len(rows) - 1) // size))
    lines = rows[first : first + size]
    on_page = {id(one) for one in lines}

    def where(one: Ranked) -> str:
        return f"#{anchor(one)}" if id(one) in on_page else frame.links.model(one.entry)

    table = Table(board, asked, words, frame.links)
    title = title_of(board.group)
    chosen = board.recommended
    return render(
        "board.html",
        **frame_of(found, asked, frame, words("title_of", title=title), board.group.key.pipeline),
        heading=words("title_of", title=title),
        cautions=cautions(board.group, words),
        head=headline(board, asked, words),
        evidence=frame.links.model(chosen.entry) if chosen else "",
        decision=frame.decision(chosen.entry.row.run_id) if chosen else "",
        form=_form(found, asked, board, words) if form else (),
        picks=picks or (),
        hidden=_hidden(asked, frame),
        home_path=frame.links.board(Filters()).partition("?")[0],
        intensity="" if asked.intensity is None else f"{asked.intensity:g}",
        picture=own(scatter(board, asked, words, where)),
        picture_notes=_picture_notes(board, asked, words),
        caption=_caption(board, words),
        heads=[table.first(), *table.heads()],
        lines=[table.line(one) for one in lines],
        pages=_pages(len(rows), first, asked, frame) if form else None,
        exports=_exports(asked, frame, form=form),
        others=_others(found, board.group, asked, frame),
        script=own(script()),
    )


def message(
    found: Snapshot | None,
    asked: Filters,
    frame: Frame,
    heading: str,
    told: str = "",
    body: str = "",
    *,
    back: bool = True,
    title: str = "",
) -> str:
    """Write a page that says one thing; `body` is HTML of our own."""
    return render(
        "message.html",
        **frame_of(found, asked, frame, title or heading, ""),
        heading=heading,
        told=told,
        body=own(body),
        back=back,
    )


def title_of(group: Group) -> str:
    """Return the title of a group's pipeline."""
    return group.latest.run.title or group.key.pipeline


def cautions(group: Group, words: Words) -> str:
    """Say what a reader has to know before believing a figure."""
    said = [words("simulated")] if group.key.simulated else []
    if group.key.weather == "perfect":
        said.append(f"{words('perfect_weather')}. {words('perfect_weather_why')}")
    return " · ".join(said)


def frame_of(
    found: Snapshot | None, asked: Filters, frame: Frame, title: str, here: str
) -> dict[str, object]:
    """Return what the template of every page asks for; `here` is the pipeline that is shown."""
    links, names = frame.links, found.pipelines if found else []
    tabs = [] if len(names) > _TABS or len(names) < 2 else sorted(names)
    return {
        "w": frame.words,
        "title": f"{title} · frugal-ai",
        "style": own(style()),
        "home": links.board(Filters()),
        "pipelines": [
            (name, links.board(_kept(asked), pipeline=name), name == here) for name in tabs
        ],
        "languages": [
            (code, name, links.language(asked, code)) for code, name in LANGUAGES.items()
        ],
        "visitor": own(frame.visitor),
        "policy": frame.policy,
        "loading": _loading(found, frame.words),
    }


def _loading(found: Snapshot | None, words: Words) -> str:
    """Say that a server is still being read, so that older runs are missing."""
    if found is None or found.read is None:
        return ""
    return words("loading", count=words.local(f"{found.read:,}"))


def _kept(asked: Filters) -> Filters:
    """Keep from one pipeline to the next what does not hang on it."""
    return Filters(
        metric=asked.metric, scope=asked.scope, runs=asked.runs, estimated=asked.estimated
    )


def _form(found: Snapshot, asked: Filters, board: Board, words: Words) -> list[Choice]:
    key = board.group.key
    own_groups = [one for one in found.groups if one.key.pipeline == key.pipeline]
    listed = _choice(words, "hardware", asked.hardware, [one.key.hardware for one in own_groups])
    series = [name for one in own_groups for name in one.latest.run.series]
    horizons = [one.latest.run.horizon_s for one in found.groups if one.latest.run.horizon_s]
    choices = [
        _choice(words, "pipeline", asked.pipeline, sorted(found.pipelines), at_least=_TABS + 1),
        _choice(words, "series", asked.series, series),
        _choice(
            words, "horizon", str(asked.horizon or ""), [str(one) for one in sorted(set(horizons))],
            say=lambda value: words.duration(int(value)),
        ),
        _lead_choice(board, asked, words),
        listed,
        _known(words, "metric", asked.metric, get_args(Metric)),
        _known(words, "scope", asked.scope, get_args(Scope)),
        _known(words, "runs", asked.runs, get_args(Runs)),
        _known(words, "estimated", "1" if asked.estimated else "0", ("1", "0"), label="estimates"),
    ]  # fmt: skip
    return [one for one in choices if one is not None]


def _hidden(asked: Filters, frame: Frame) -> list[tuple[str, str]]:
    """Return what a form has to say beside its lists: language, comparison, order."""
    said = {
        "lang": frame.lang,
        "group": asked.group,
        "sort": "" if asked.sort == Filters().sort else asked.sort,
        "descending": "1" if asked.descending else "",
    }
    return [(name, value) for name, value in said.items() if value]


def _choice(
    words: Words,
    name: str,
    now: str,
    values: Sequence[str],
    say: Callable[[str], str] = lambda value: value,
    at_least: int = 2,
    usual: str = "any",
) -> Choice | None:
    """Return a list of names, what is usual first; None where there is nothing to choose."""
    known = list(dict.fromkeys(values))
    if len(known) < at_least and not now:
        return None
    options = [("", words(usual), not now)]
    options += [(one, say(one), one == now) for one in known]
    return Choice(words(name), name, options)


def _lead_choice(board: Board, asked: Filters, words: Words) -> Choice | None:
    leads = known_leads(one.entry for one in board.rows)
    names = {band_text(one): lead_text(one, words) for one in [*leads, asked.lead] if one}
    now = "" if asked.lead is None else band_text(asked.lead)
    return _choice(words, "lead", now, list(names), names.__getitem__, usual="whole_horizon")


def _known(words: Words, name: str, now: str, values: Sequence[str], label: str = "") -> Choice:
    options = [(one, words(f"{name}_{one}"), one == now) for one in values]
    return Choice(words(label or name), name, options)


def _picture_notes(board: Board, asked: Filters, words: Words) -> str:
    said = [words("scatter_desc"), words("bars")]
    if asked.lead is not None:
        said.append(words("lead_shown", lead=lead_text(asked.lead, words)))
    spread = next((one.entry.row.energy_spread for one in board.rows), None)
    if spread is not None:
        said.append(words("spread", factor=words.local(f"{spread:g}")))
    known = sum(bool(one.error and one.grams) for one in board.rows)
    missing: dict[str, list[str]] = {}
    for one in board.rows:
        if not (one.error and one.grams):
            older = asked.lead is not None and one.error is None
            missing.setdefault("lead_missing" if older else "left_out", []).append(
                one.entry.row.rung
            )
    said += [words(key, names=_some(names, words)) for key, names in missing.items()]
    if len(drawn(board)) < known:
        said.append(words("drawn", count=len(drawn(board)), known=known))
    return " ".join(said)


def _some(names: Sequence[str], words: Words) -> str:
    """Name the first, and say how many more there are."""
    told = list(dict.fromkeys(names))
    more = len(told) - _OTHERS
    some = ", ".join(told[:_OTHERS])
    return words("and_more", names=some, count=more) if more > 0 else some


def _caption(board: Board, words: Words) -> str:
    """Say what all rows have in common, and under which grid their CO2e is."""
    key, stated = board.group.key, board.stated
    measured = "method_measured" if is_measured(key.energy_method) else "method_estimated"
    how = method(key.energy_method).partition(": ")[2] or key.energy_method
    said = [
        words(
            "held",
            origins=key.origins_test,
            hardware=key.hardware,
            method=f"{words(measured)} ({how})",
            intensity=words.figure(stated.intensity),
            country=f" ({stated.country})" if stated.country else "",
            pue=words.local(f"{stated.pue:g}"),
            digest=key.targets_digest[:SHORT],
        )
    ]
    flags = {"flag_simulated": key.simulated, "flag_perfect": key.weather == "perfect"}
    said += [f"{words(name).capitalize()}." for name, holds in flags.items() if holds]
    if key.fleet:
        said.append(words("fleet_held", fleet=key.fleet))
    if not stated.own:
        said.append(words("restated"))
    return " ".join(said)


def _pages(count: int, first: int, asked: Filters, frame: Frame) -> Pages | None:
    if count <= PER_PAGE:
        return None
    page, last = first // PER_PAGE + 1, min(first + PER_PAGE, count)
    said = frame.words("page_of", first=first + 1, last=last, count=count)
    before = frame.links.board(asked, page=page - 1) if page > 1 else ""
    after = frame.links.board(asked, page=page + 1) if last < count else ""
    return Pages(said, before, after)


def _exports(asked: Filters, frame: Frame, *, form: bool) -> list[tuple[str, str]]:
    names = {"csv": "board.csv", "json": "board.json", "svg": "board.svg", "badge": "badge.svg"}
    found = [(frame.words(key), frame.links.export(asked, name)) for key, name in names.items()]
    if form:
        found.append((frame.words("permalink"), frame.links.board(asked, page=asked.page)))
    return found


def _others(found: Snapshot, group: Group, asked: Filters, frame: Frame) -> list[tuple[str, str]]:
    """Name other groups of the pipeline, which may not be compared with this one."""
    words = frame.words
    others = [
        one for one in found.groups
        if one.key.pipeline == group.key.pipeline and one is not group
    ][:_OTHERS]  # fmt: skip
    return [
        (
            _other(one, asked, words),
            frame.links.board(_kept(asked), pipeline=one.key.pipeline, group=one.key.short),
        )
        for one in others
    ]


def _other(one: Group, asked: Filters, words: Words) -> str:
    measured = is_measured(one.key.energy_method)
    return words(
        "other_line",
        title=title_of(one),
        hardware=one.key.hardware,
        method=words("method_measured" if measured else "method_estimated"),
        weather=words("flag_perfect" if one.key.weather == "perfect" else "flag_no_perfect"),
        grid=f", {one.key.fleet}" if one.key.fleet else "",
        count=len(shown(one, asked)),
        ended=f"{one.latest.ended:%Y-%m-%d}",
    )
