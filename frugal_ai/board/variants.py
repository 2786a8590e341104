"""What a reader of files may ask for: the pages of a comparison that are written beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from frugal_ai.board.entries import readable
from frugal_ai.board.filters import Filters, Metric, Scope, band_text
from frugal_ai.board.groups import Group, shown
from frugal_ai.board.leads import known_leads, lead_text
from frugal_ai.board.words import Words

_VARIED = 8  # pipelines that have pages of their own for each error and carbon


@dataclass(frozen=True)
class Picks:
    """A line of links to choose from: text, address, and whether it is what is shown."""

    label: str
    options: Sequence[tuple[str, str, bool]]


def variants(group: Group, groups: Sequence[Group]) -> list[Filters]:
    """Return what there is a page of, the usual one first.

    The latest comparison of each of the first pipelines has one for each error and carbon that its
    models have, and for each band of lead times; the others have the usual one.
    """
    usual = Filters(group=group.key.short)
    latest = list({one.key.pipeline: one for one in reversed(groups)}.values())[::-1][:_VARIED]
    if group not in latest:
        return [usual]
    entries = readable(shown(group, usual))
    metrics = [one for one in get_args(Metric) if any(getattr(it.row, one) for it in entries)]
    leads = known_leads(entries)
    found = [usual.with_(metric=one, scope=scope) for scope in get_args(Scope) for one in metrics]
    found += [usual.with_(lead=one, scope=scope) for scope in get_args(Scope) for one in leads]
    return [usual, *(one for one in found if one != usual)]


def name_of(asked: Filters) -> str:
    """Return the name of the file of a page, without its ending."""
    usual = Filters()
    said = [asked.group]
    if asked.lead is not None:
        said.append(f"lead-{band_text(asked.lead)}")
    elif asked.metric != usual.metric:
        said.append(asked.metric)
    if asked.scope != usual.scope:
        said.append(asked.scope)
    return "-".join(said)


def picks(
    asked: Filters, known: Sequence[Filters], address: dict[Filters, str], words: Words
) -> list[Picks]:
    """Return the lines of links from one page of a comparison to its others."""
    errors = [one for one in known if one.scope == asked.scope]
    carbons = [one for one in known if (one.metric, one.lead) == (asked.metric, asked.lead)]
    lines = [
        Picks(
            words("metric"), [(_error(one, words), address[one], one == asked) for one in errors]
        ),
        Picks(
            words("scope"),
            [(words(f"scope_{one.scope}"), address[one], one == asked) for one in carbons],
        ),
    ]
    return [one for one in lines if len(one.options) > 1]


def _error(asked: Filters, words: Words) -> str:
    if asked.lead is None:
        return words(f"metric_{asked.metric}")
    return f"{words('metric_mae')} {lead_text(asked.lead, words)}"
