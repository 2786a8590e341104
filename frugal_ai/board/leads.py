"""The error by how far ahead a target was: which bands there are, and what is said of them."""

from collections.abc import Iterable

from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters
from frugal_ai.board.words import Words
from frugal_ai.report import Lead, LeadReport


def of_lead(entry: Entry, lead: Lead) -> LeadReport | None:
    """Return the error of a band; None where the run did not keep it."""
    return next((one for one in entry.mae_by_lead if one.lead == lead), None)


def known_leads(entries: Iterable[Entry]) -> list[Lead]:
    """Return the bands that any model has an error of, the nearest first."""
    return sorted({part.lead for one in entries for part in one.mae_by_lead})


def lead_text(lead: Lead, words: Words) -> str:
    """Say how far ahead."""
    start, end = lead
    return words("lead_of", start=words.duration(start) if start else "0", end=words.duration(end))


def metric_text(asked: Filters, words: Words) -> str:
    """Name the error that is asked for, with how far ahead where that is asked for, too."""
    name = words(f"metric_{asked.metric}")
    return name if asked.lead is None else f"{name} {lead_text(asked.lead, words)}"
